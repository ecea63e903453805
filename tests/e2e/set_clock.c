/* Preloaded into a process tree: its wall clock reads as many seconds off as the file named by EXAM_KIT_SET_CLOCK says
   (a native int64, mapped, so a change is seen at once). The clocks that never step are left alone, as when a person
   sets the machine's clock. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

static volatile int64_t *by;
static int (*real_clock)(clockid_t, struct timespec *);

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("EXAM_KIT_SET_CLOCK");
    int handle = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    real_clock = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    if (handle >= 0) {
        void *found = mmap(0, 8, PROT_READ, MAP_SHARED, handle, 0);
        by = found == MAP_FAILED ? 0 : found;
    }
}

int clock_gettime(clockid_t which, struct timespec *at) {
    if (!real_clock) begin();
    int said = real_clock(which, at);
    if (said == 0 && by && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) at->tv_sec += *by;
    return said;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    struct timespec now;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &now)) return -1;
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *to) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (to) *to = now.tv_sec;
    return now.tv_sec;
}
