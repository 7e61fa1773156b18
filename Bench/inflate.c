#define _GNU_SOURCE
// Decompresses every zstd frame of a file one after another and does nothing with the result: the floor for reading a
// compressed trace. Frames are found by their magic number, which trace-cmd's sections and chunks begin with; they do
// not say how long their content is, and none is longer than 64 MiB.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  FILE *file = fopen(argv[1], "rb");
  if (!file || fseek(file, 0, SEEK_END)) return 1;
  size_t size = ftell(file), made = 0, capacity = 64 << 20;
  rewind(file);
  unsigned char *bytes = malloc(size), *out = malloc(capacity);
  ZSTD_DCtx *context = ZSTD_createDCtx();
  if (!bytes || !out || !context || fread(bytes, 1, size, file) != size) return 1;
  static const unsigned char magic[4] = {0x28, 0xb5, 0x2f, 0xfd};
  for (size_t at = 0; at + 4 <= size;) {
    unsigned char *frame = memmem(bytes + at, size - at, magic, 4);
    if (!frame) break;
    at = frame - bytes;
    size_t length = ZSTD_findFrameCompressedSize(frame, size - at);
    if (ZSTD_isError(length)) {
      at += 4;
      continue;
    }
    size_t count = ZSTD_decompressDCtx(context, out, capacity, frame, length);
    if (!ZSTD_isError(count)) made += count;
    at += length;
  }
  printf("%zu\n", made);
  return made == 0;
}
