#include <zlib.h>
// For a decompressor whose memory comes from the caller. Its functions are in the shared library too.
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
