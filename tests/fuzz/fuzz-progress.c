/* Output of a task, from bytes to what is told of its progress. Whatever it is, it is told the same
 * however it is cut into pieces. In the input 0xff changes the stream, 0xfe lets time pass; what is
 * between them is cut, in one way at each byte, in another as the first byte of the input says. */

#include "tests/fuzz/fuzz-state.h"
#include "tests/fuzz/fuzz.h"

#define CHANGE_STREAM 0xff
#define SETTLE 0xfe

typedef struct Run {
    ProgressReader *reader;
    LogStream stream;
    bool steps; /* one byte at a time */
    uint32_t seed;
} Run;

static size_t next_size(Run *r, size_t left) {
    if (r->steps)
        return 1;
    r->seed = r->seed * 1664525 + 1013904223;
    return MIN(left, 1 + (r->seed >> 8) % (r->seed & 0x1000 ? 16 : 4096));
}

static void feed(Run *r, const char *data, size_t size) {
    for (size_t n; size > 0; data += n, size -= n) {
        ProgressState before = *progress_reader_state(r->reader);
        n = next_size(r, size);
        bool changed = progress_reader_feed(r->reader, r->stream, data, n);
        const ProgressState *now = progress_reader_state(r->reader);
        fuzz_check_state(now);
        if (r->steps)
            fuzz_check_step(&before, now);
        if (!changed)
            MUST(now->fraction == before.fraction && streq(now->phase, before.phase));
    }
}

static void command(Run *r, uint8_t c) {
    if (c == CHANGE_STREAM) {
        r->stream = r->stream == LOG_STREAM_STDOUT ? LOG_STREAM_STDERR : LOG_STREAM_STDOUT;
        return;
    }
    progress_reader_settle(r->reader);
    MUST(!progress_reader_is_unsettled(r->reader));
    fuzz_check_state(progress_reader_state(r->reader));
}

static ProgressState run(const uint8_t *data, size_t size, bool steps, uint32_t seed) {
    Run r = {
        .reader = progress_reader_new(), .stream = LOG_STREAM_STDOUT, .steps = steps, .seed = seed};
    const uint8_t *end = data + size;

    MUST(r.reader);
    while (data < end) {
        const uint8_t *from = data;
        while (data < end && *data != CHANGE_STREAM && *data != SETTLE)
            data++;
        feed(&r, (const char *)from, (size_t)(data - from));
        if (data < end)
            command(&r, *data++);
    }
    command(&r, SETTLE);
    ProgressState state = *progress_reader_state(r.reader);
    progress_reader_free(r.reader);
    return state;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    ProgressState a = run(data + 1, size - 1, true, 0);
    ProgressState b = run(data + 1, size - 1, false, data[0]);
    MUST(a.source == b.source && a.fraction == b.fraction && a.done == b.done &&
         a.total == b.total && a.bytes == b.bytes && streq(a.phase, b.phase));
    return 0;
}
