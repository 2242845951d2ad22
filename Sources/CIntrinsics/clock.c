#define _GNU_SOURCE
#include "CIntrinsics.h"

#include <errno.h>
#include <sys/timex.h>

struct apus_clock apus_read_clock(void) {
    struct timex now = {0};
    struct apus_clock clock = {0};
    clock.result = adjtimex(&now);
    clock.error = clock.result < 0 ? errno : 0;
    clock.status = now.status;
    clock.shift = now.shift;
    clock.tai = now.tai;
    clock.offset = now.offset;
    clock.frequency = now.freq;
    clock.maxerror = now.maxerror;
    clock.esterror = now.esterror;
    clock.constant = now.constant;
    clock.tick = now.tick;
    clock.ppsfreq = now.ppsfreq;
    clock.jitter = now.jitter;
    clock.stabil = now.stabil;
    clock.jitcnt = now.jitcnt;
    clock.calcnt = now.calcnt;
    clock.errcnt = now.errcnt;
    clock.stbcnt = now.stbcnt;
    return clock;
}
