#ifndef APUS_CINTRINSICS_H
#define APUS_CINTRINSICS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// glibc's substring search, which Swift's Glibc module leaves out.
static inline const void *apus_memmem(const void *haystack, size_t haystackByteCount, const void *needle, size_t needleByteCount) {
    return memmem(haystack, haystackByteCount, needle, needleByteCount);
}

// glibc's allocator: what it maps apart, when it gives memory back, how many arenas it keeps. Swift's Glibc module leaves <malloc.h> out.
static inline void apus_configure_allocator(int mappedByteCountMin, int trimByteCount, int arenaCountMax) {
    mallopt(M_MMAP_THRESHOLD, mappedByteCountMin);
    mallopt(M_TRIM_THRESHOLD, trimByteCount);
    mallopt(M_ARENA_MAX, arenaCountMax);
}

// Gives free pages inside the heap back to the system.
static inline void apus_trim_heap(void) { malloc_trim(0); }

// Bytes in use by the program, in the heap and mapped apart from it.
static inline size_t apus_heap_byte_count(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

// Asks the cache for the line at `address`; never faults.
static inline void apus_prefetch(const void *address) { __builtin_prefetch(address, 0, 3); }

// CRC32C (Castagnoli) of `byteCount` bytes, continuing from `crc` (0 to start), by the CPU's instruction where there is one.
uint32_t apus_crc32c(uint32_t crc, const void *bytes, size_t byteCount);

// What the kernel says of its clock (adjtimex(2), which Swift's Glibc module leaves out); the fields are those of struct timex.
struct apus_clock {
    int result;  // the clock's state; -1 where the call failed
    int error;   // then errno
    int status;
    int shift;
    int tai;
    int64_t offset, frequency, maxerror, esterror, constant, tick, ppsfreq, jitter, stabil, jitcnt, calcnt, errcnt, stbcnt;
};

struct apus_clock apus_read_clock(void);

// When an open file was made, in nanoseconds since the Unix epoch; 0 where its file system does not say (statx(2), which Swift's Glibc
// module leaves out).
int64_t apus_file_birth(int descriptor);

#endif
