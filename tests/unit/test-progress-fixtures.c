/* What real programs have printed (tests/progress), read as it came: progress is seen early, never
 * runs backwards within a phase, gets to the end, and from half of the way on says rightly when
 * that is. */

#include <cjson/cJSON.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "daemon/core/estimate.h"
#include "daemon/shim/progress-reader.h"
#include "tests/unit/unit.h"

#define PHASES_MAX 32
#define READINGS_MAX 4096
#define SETTLE_SEC 0.05 /* when nothing comes for so long, a line without an end is read */
#define SLACK_SEC 0.3   /* of the end of a phase: readings come at their own pace */
#define FIRST 0.2       /* part of the time after which progress is to be seen at the latest */

typedef enum Flags {
    STEADY = 1 << 0, /* it goes on at the same pace: the end is foreseen */
    COUNTS = 1 << 1, /* it does not know the total */
} Flags;

typedef struct Expected {
    const char *name;
    const char *phases; /* in order, divided by "|" */
    ProgressSource source;
    Flags flags;
    double first; /* 0: FIRST */
} Expected;

#define PERCENT PROGRESS_SOURCE_PERCENT
#define COUNTER PROGRESS_SOURCE_COUNTER

#define GIT_PHASES "Counting objects|Compressing objects|Receiving objects|Resolving deltas"
#define APT_READS "Reading package lists|Building dependency tree|Reading state information"

/* clang-format off */
static const Expected expected[] = {
    {"apt-download", "Downloading", PERCENT, 0, 0.5},
    {"apt-fancy", APT_READS "|Downloading|Reading database|Installing", PERCENT},
    {"apt-install", APT_READS "|Downloading|Reading database", PERCENT},
    {"apt-progress", "Reading database|Installing", PERCENT, 0, 0.9},
    {"apt-status", "Downloading|Installing", PERCENT, 0, 0.6},
    {"aria2", "", COUNTER, STEADY},
    {"bats", "", COUNTER, STEADY},
    {"cargo", "", COUNTER, 0, 0.5},
    {"cmake-make", "", PERCENT},
    {"counter", "", COUNTER, STEADY},
    {"curl", "", COUNTER, STEADY},
    {"curl-bar", "", PERCENT, STEADY},
    {"curl-parallel", "", COUNTER},
    {"curl-two", "|part 2", COUNTER, STEADY},
    {"dd", "", COUNTER, COUNTS, 0.3},
    {"ffmpeg", "", PERCENT, STEADY},
    {"ffmpeg-progress", "", PERCENT, STEADY},
    {"git-clone", GIT_PHASES, COUNTER},
    {"ninja", "", COUNTER, STEADY},
    {"ninja-pty", "", COUNTER, STEADY},
    {"osc", "", PROGRESS_SOURCE_OSC, STEADY},
    {"pv", "", PERCENT, STEADY},
    {"pv-numbers", "", PERCENT, STEADY, 0.25},
    {"rclone", "", COUNTER, STEADY},
    {"rsync", "", PERCENT, STEADY},
    {"tar-pv", "", PERCENT, STEADY},
    {"tqdm", "Working", COUNTER, STEADY},
    {"wget", "", PERCENT, STEADY},
    {"wget-bar", "", PERCENT, STEADY},
    {"xz", "", PERCENT, STEADY},
    {"zstd", "", COUNTER, STEADY},
    {"zstd-v", "", COUNTER, COUNTS},
};
/* clang-format on */

/* ---- a recording ---- */

typedef struct Piece {
    double at; /* seconds */
    LogStream stream;
    char *data;
} Piece;

typedef struct Recording {
    Piece *pieces;
    size_t n;
} Recording;

static void recording_done(Recording *r) {
    for (size_t i = 0; i < r->n; i++)
        free(r->pieces[i].data);
    free(r->pieces);
}

static void add_piece(Recording *r, const char *line) {
    cJSON *json = cJSON_Parse(line);

    ck_assert_msg(cJSON_IsArray(json) && cJSON_GetArraySize(json) == 3, "%s", line);
    r->pieces = reallocarray(r->pieces, r->n + 1, sizeof(Piece));
    ck_assert_ptr_nonnull(r->pieces);
    r->pieces[r->n++] = (Piece){
        .at = cJSON_GetArrayItem(json, 0)->valuedouble,
        .stream = streq(cJSON_GetArrayItem(json, 1)->valuestring, "e") ? LOG_STREAM_STDERR
                                                                       : LOG_STREAM_STDOUT,
        .data = strdup(cJSON_GetArrayItem(json, 2)->valuestring),
    };
    cJSON_Delete(json);
}

static Recording read_recording(const char *name) {
    _cleanup_free_ char *line = NULL;
    Recording r = {0};
    size_t room = 0;
    char path[512];

    snprintf(path, sizeof(path), "%s/%s.cast", getenv("LONGRUN_RECORDINGS") ?: "tests/progress",
             name);
    FILE *file = fopen(path, "re");
    ck_assert_msg(file, "%s", path);
    ck_assert(getline(&line, &room, file) > 0); /* the header */
    while (getline(&line, &room, file) > 0)
        add_piece(&r, line);
    fclose(file);
    ck_assert_uint_gt(r.n, 0);
    return r;
}

/* ---- what was read of it ---- */

typedef struct Reading {
    double at;
    size_t phase;
    double fraction;
    uint64_t done;
    double left; /* seconds, as foreseen; negative: not known */
} Reading;

typedef struct Story {
    const char *name;
    char phases[PHASES_MAX][PROGRESS_PHASE_MAX];
    double began[PHASES_MAX + 1]; /* and the end of the last one */
    size_t n_phases;
    Reading readings[READINGS_MAX];
    size_t n;
    Estimate *estimate;
} Story;

static void note(Story *s, const ProgressState *state, double at) {
    Reading *r = &s->readings[s->n];

    if (s->n_phases == 0 || !streq(s->phases[s->n_phases - 1], state->phase)) {
        ck_assert_msg(s->n_phases < PHASES_MAX, "%s: too many phases", s->name);
        memcpy(s->phases[s->n_phases], state->phase, PROGRESS_PHASE_MAX);
        s->began[s->n_phases++] = at;
        if (s->estimate)
            estimate_reset(s->estimate);
    }
    uint64_t now = (uint64_t)(at * (double)USEC_PER_SEC) + USEC_PER_SEC;
    estimate_note(&s->estimate, now, state->fraction, state->done);
    uint64_t left = estimate_remaining_usec(s->estimate, now);
    MUST(s->n < READINGS_MAX);
    *r = (Reading){
        .at = at,
        .phase = s->n_phases - 1,
        .fraction = state->fraction,
        .done = state->done,
        .left = left == USEC_INFINITY ? -1 : (double)left / (double)USEC_PER_SEC,
    };
    s->n++;
}

static void tell(Story *s, const Recording *recording) {
    ProgressReader *reader = progress_reader_new();

    ck_assert_ptr_nonnull(reader);
    for (size_t i = 0; i < recording->n; i++) {
        const Piece *p = &recording->pieces[i];
        if (progress_reader_feed(reader, p->stream, p->data, strlen(p->data)))
            note(s, progress_reader_state(reader), p->at);
        if (i + 1 < recording->n && p[1].at - p->at > SETTLE_SEC && progress_reader_settle(reader))
            note(s, progress_reader_state(reader), p->at + SETTLE_SEC);
    }
    s->began[s->n_phases] = recording->pieces[recording->n - 1].at;
    progress_reader_free(reader);
    estimate_free(s->estimate);
}

/* ---- what is expected of it ---- */

static void check_order(const Story *s) {
    for (size_t i = 1; i < s->n; i++) {
        const Reading *a = &s->readings[i - 1], *b = &s->readings[i];
        if (a->phase == b->phase)
            ck_assert_msg(b->fraction >= a->fraction && b->done >= a->done,
                          "%s, %.3f s: back from %.3f (%lu) to %.3f (%lu)", s->name, b->at,
                          a->fraction, a->done, b->fraction, b->done);
        ck_assert_msg(b->fraction < 1, "%s: the end is not to be told yet", s->name);
    }
}

static void check_phases(const Story *s, const Expected *e) {
    char phases[PHASES_MAX * PROGRESS_PHASE_MAX] = "";

    for (size_t i = 0; i < s->n_phases; i++) {
        strcat(phases, i > 0 ? "|" : "");
        strcat(phases, s->phases[i]);
    }
    ck_assert_msg(streq(phases, e->phases), "%s: phases are \"%s\"", s->name, phases);
}

static void check_ends(const Story *s, const Expected *e) {
    double end = s->began[s->n_phases], first = (e->first > 0 ? e->first : FIRST) * end;
    const Reading *last = &s->readings[s->n - 1];

    ck_assert_msg(s->began[0] <= first, "%s: progress is seen after %.1f s of %.1f s", s->name,
                  s->began[0], end);
    if (e->flags & COUNTS)
        ck_assert_msg(last->fraction < 0 && last->done > 0, "%s: %f, %lu done", s->name,
                      last->fraction, last->done);
    else
        ck_assert_msg(last->fraction >= 0.9, "%s: ends at %f", s->name, last->fraction);
}

/* In the second half of each phase the end of it is foreseen within a factor of two. */
static void check_foresight(const Story *s) {
    for (size_t i = 0; i < s->n; i++) {
        const Reading *r = &s->readings[i];
        double begin = s->began[r->phase], end = s->began[r->phase + 1], left = end - r->at;
        if (r->at < (begin + end) / 2)
            continue;
        ck_assert_msg(r->left >= left / 2 - SLACK_SEC && r->left <= left * 2 + SLACK_SEC,
                      "%s, %.1f s of %.1f s to %.1f s: %.2f s left, not %.2f s", s->name, r->at,
                      begin, end, left, r->left);
    }
}

START_TEST(test_recording) {
    const Expected *e = &expected[_i];
    Recording recording = read_recording(e->name);
    Story *s = calloc(1, sizeof(*s));

    s->name = e->name;
    tell(s, &recording);
    ck_assert_msg(s->n > 0, "%s: no progress was seen", e->name);
    check_order(s);
    check_phases(s, e);
    check_ends(s, e);
    if (e->flags & STEADY)
        check_foresight(s);
    free(s);
    recording_done(&recording);
}
END_TEST

/* In which pieces it comes makes no difference in the end. */
START_TEST(test_pieces) {
    Recording recording = read_recording(expected[_i].name);
    ProgressReader *whole = progress_reader_new(), *bytes = progress_reader_new();

    for (size_t i = 0; i < recording.n; i++) {
        const Piece *p = &recording.pieces[i];
        progress_reader_feed(whole, p->stream, p->data, strlen(p->data));
        for (const char *c = p->data; *c; c++)
            progress_reader_feed(bytes, p->stream, c, 1);
        const ProgressState *a = progress_reader_state(whole), *b = progress_reader_state(bytes);
        ck_assert(a->source == b->source && a->fraction == b->fraction && a->done == b->done);
        ck_assert_str_eq(a->phase, b->phase);
    }
    progress_reader_free(whole);
    progress_reader_free(bytes);
    recording_done(&recording);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("progress-fixtures");
    TCase *t = tcase_create("recordings");

    tcase_add_loop_test(t, test_recording, 0, ELEMENTSOF(expected));
    tcase_add_loop_test(t, test_pieces, 0, ELEMENTSOF(expected));
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
