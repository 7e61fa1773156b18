#define _GNU_SOURCE
// Decompresses every zstd frame of a file one after another and does nothing with the result: the floor for reading a
// compressed trace. Frames are found by their magic number, which trace-cmd's sections and chunks begin with; they do
// not say how long their content is, and none is longer than 64 MiB.

//
//     inflate FILE             every zstd frame
//     inflate FILE OFFSET...   the zlib chunks behind each of these offsets: their number, then the two sizes of each
//                              in front of it (trace-cmd.dat.v7(5), little endian)

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

static unsigned number(const unsigned char *bytes) {
  unsigned value;
  memcpy(&value, bytes, sizeof value);
  return value;
}

// Bytes made of the chunks at `at`; 0 where they do not decompress.
static size_t inflate_chunks(const unsigned char *bytes, size_t size, size_t at, unsigned char *out, size_t capacity) {
  if (at + 4 > size) return 0;
  size_t made = 0;
  unsigned count = number(bytes + at);
  at += 4;
  while (count-- > 0) {
    if (at + 8 > size || at + 8 + number(bytes + at) > size) return 0;
    uLongf length = capacity;
    if (uncompress(out, &length, bytes + at + 8, number(bytes + at)) != Z_OK) return 0;
    made += length;
    at += 8 + number(bytes + at);
  }
  return made;
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  FILE *file = fopen(argv[1], "rb");
  if (!file || fseek(file, 0, SEEK_END)) return 1;
  size_t size = ftell(file), made = 0, capacity = 64 << 20;
  rewind(file);
  unsigned char *bytes = malloc(size), *out = malloc(capacity);
  ZSTD_DCtx *context = ZSTD_createDCtx();
  if (!bytes || !out || !context || fread(bytes, 1, size, file) != size) return 1;
  for (int index = 2; index < argc; index++) {
    size_t count = inflate_chunks(bytes, size, strtoull(argv[index], NULL, 10), out, capacity);
    if (count == 0) return 1;
    made += count;
  }
  static const unsigned char magic[4] = {0x28, 0xb5, 0x2f, 0xfd};
  for (size_t at = 0; argc == 2 && at + 4 <= size;) {
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
