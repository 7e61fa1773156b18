print("pinstat")
