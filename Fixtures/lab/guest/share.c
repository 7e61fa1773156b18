/*
 * Copies standard input into memory that the machine shares with its host:
 *
 *   share /sys/bus/pci/devices/.../resource2
 *
 * (BAR 2 of QEMU's ivshmem-plain; sysfs maps it, see Documentation/PCI/sysfs-pci.rst.) A disk would do as well, but its
 * requests end when the host gets to them, and then no boot of the instruction-counted machine is quite like another.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct stat status;
	char *memory;
	size_t used = 0;
	ssize_t got = 1;
	int file;

	if (argc != 2 || (file = open(argv[1], O_RDWR | O_SYNC)) < 0 || fstat(file, &status) || !status.st_size ||
	    (memory = mmap(NULL, status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)) == MAP_FAILED) {
		fprintf(stderr, "share: %s: %s\n", argc == 2 ? argv[1] : "usage: share RESOURCE", strerror(errno));
		return 1;
	}
	while (used < (size_t)status.st_size && got > 0) {
		got = read(STDIN_FILENO, memory + used, status.st_size - used);
		/* Where the kernel does not copy into device memory by itself. */
		if (got < 0 && errno == EFAULT) {
			char page[4096];
			size_t room = status.st_size - used;

			got = read(STDIN_FILENO, page, room < sizeof page ? room : sizeof page);
			if (got > 0)
				memcpy(memory + used, page, got);
		}
		if (got > 0)
			used += got;
	}
	if (got) {
		fprintf(stderr, "share: %s\n", got < 0 ? strerror(errno) : "the result is larger than the shared memory");
		return 1;
	}
	return 0;
}
