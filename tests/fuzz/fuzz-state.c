#include "tests/fuzz/fuzz-state.h"

#include <math.h>

#include "common/text.h"
#include "tests/fuzz/fuzz.h"

void fuzz_check_state(const ProgressState *s) {
    MUST(!isnan(s->fraction));
    MUST(s->fraction < 1);
    MUST(s->fraction >= 0 || s->fraction == -1);
    MUST(s->total == 0 || s->done <= s->total);
    MUST(s->source < _PROGRESS_SOURCE_MAX);
    MUST(s->source != PROGRESS_SOURCE_NONE || (s->fraction < 0 && s->done == 0 && !s->phase[0]));
    MUST(memchr(s->phase, '\0', sizeof(s->phase)));
    MUST(utf8_is_valid(s->phase));
    for (const char *p = s->phase; *p; p++)
        MUST((unsigned char)*p >= 0x20 && *p != 0x7f);
}

void fuzz_check_step(const ProgressState *before, const ProgressState *now) {
    fuzz_check_state(now);
    if (!streq(before->phase, now->phase))
        return;
    MUST(now->fraction >= before->fraction);
    if (now->fraction < 0)
        MUST(now->done >= before->done);
}
