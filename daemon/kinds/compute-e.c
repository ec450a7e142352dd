#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <sys/random.h>

#include "common/clock.h"
#include "common/parse.h"
#include "daemon/kinds/kinds.h"

#define SECONDS_MAX 86400.0 /* a day */
#define SUMS_PER_LOOK 5000  /* well below 1 ms of work between two looks at clock and cancel */
#define TERMS 20            /* 1/20! is far below the last bit of a double of this size */

typedef struct ComputeE {
    double seconds;
    bool force_error;
} ComputeE;

typedef struct Sums {
    double value;
    uint64_t iterations;
    uint64_t elapsed_usec;
} Sums;

static int compute_e_parse(const cJSON *params, ComputeE *ret, char **ret_error) {
    static const char *const names[] = {"seconds", "force_error", NULL};
    ComputeE p = {.seconds = 3};
    int r;

    r = kind_check_names(params, names, ret_error);
    if (r < 0)
        return r;
    r = kind_param_double(params, "seconds", 0, SECONDS_MAX, &p.seconds, ret_error);
    if (r < 0)
        return r;
    r = kind_param_bool(params, "force_error", &p.force_error, ret_error);
    if (r < 0)
        return r;
    *ret = p;
    return 0;
}

static int compute_e_check(const cJSON *params, char **ret_error) {
    ComputeE p;

    return compute_e_parse(params, &p, ret_error);
}

/* The sum of 1/k! for k from 0 to TERMS, the smallest terms first, so that no bit is lost. The
 * number of terms is volatile: else one sum would be done, and its value used again and again. */
static double sum_series(void) {
    static const volatile unsigned terms = TERMS;
    double sum = 1;

    for (unsigned k = terms; k > 0; k--)
        sum = 1 + sum / k;
    return sum;
}

/* Sums until the time is over, once at least. total_ms is what progress counts up to. */
static int sum_for(TaskContext *c, uint64_t usec, uint64_t total_ms, Sums *ret) {
    uint64_t start = clock_usec(CLOCK_MONOTONIC);
    KindPace pace = {};
    Sums s = {};

    for (;;) {
        s.value = sum_series();
        if (s.iterations++ % SUMS_PER_LOOK != 0)
            continue;
        if (task_context_cancelled(c))
            return -ECANCELED;
        s.elapsed_usec = clock_usec(CLOCK_MONOTONIC) - start;
        if (s.elapsed_usec >= usec)
            break;
        if (kind_pace_due(&pace))
            task_context_progress(c, MIN(s.elapsed_usec / USEC_PER_MSEC, total_ms - 1), total_ms);
    }
    *ret = s;
    return 0;
}

/* A random UUID (RFC 4122, version 4). */
static int uuid_new(char ret[37]) {
    unsigned char b[16];

    if (getrandom(b, sizeof(b), 0) != sizeof(b))
        return -EIO;
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    snprintf(ret, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
             b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
             b[14], b[15]);
    return 0;
}

static int put_result(TaskContext *c, const Sums *s) {
    char uuid[37], json[256];
    int r;

    r = uuid_new(uuid);
    if (r < 0)
        return r;
    snprintf(json, sizeof(json),
             "{\"uuid\":\"%s\",\"value\":%.16g,\"duration\":%.6f,\"iterations\":%" PRIu64 "}", uuid,
             s->value, (double)s->elapsed_usec / (double)USEC_PER_SEC, s->iterations);
    return kind_set_result(c, json);
}

static int compute_e_run(TaskContext *c, const cJSON *params) {
    _cleanup_free_ char *error = NULL;
    char span[FORMAT_MAX];
    ComputeE p;
    Sums sums;
    int r;

    r = compute_e_parse(params, &p, &error);
    if (r < 0)
        return kind_fail_params(c, r, error);

    uint64_t usec = (uint64_t)llround(p.seconds * (double)USEC_PER_SEC);
    uint64_t total_ms = MAX(usec / USEC_PER_MSEC, UINT64_C(1));
    task_context_status(c, "Summing 1/k! for %s", format_span(span, usec));
    r = sum_for(c, usec, total_ms, &sums);
    if (r == -ECANCELED) {
        task_context_message(c, "Cancelled");
        return r;
    }
    if (p.force_error) {
        task_context_message(c, "The error was forced: the parameter force_error is true");
        return -EIO;
    }
    r = put_result(c, &sums);
    if (r < 0)
        return r;
    task_context_progress(c, total_ms, total_ms);
    task_context_message(c, "e = %.16g", sums.value);
    return 0;
}

const Kind kind_compute_e = {
    .name = "compute-e",
    .description = "Computes e over and over for a wanted time: keeps a CPU busy, gives a result",
    .check = compute_e_check,
    .run = compute_e_run,
};
