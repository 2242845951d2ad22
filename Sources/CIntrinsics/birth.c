#include "CIntrinsics.h"

#include <fcntl.h>
#include <sys/stat.h>

int64_t apus_file_birth(int descriptor) {
    struct statx status;
    if (statx(descriptor, "", AT_EMPTY_PATH, STATX_BTIME, &status) != 0 || !(status.stx_mask & STATX_BTIME)) return 0;
    int64_t nanoseconds;
    if (__builtin_mul_overflow(status.stx_btime.tv_sec, INT64_C(1000000000), &nanoseconds)) return 0;
    if (__builtin_add_overflow(nanoseconds, (int64_t)status.stx_btime.tv_nsec, &nanoseconds)) return 0;
    return nanoseconds;
}
