#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "client-cli/client.h"
#include "client-cli/commands.h"
#include "client-cli/output.h"
#include "client-cli/show-plan.h"
#include "client-cli/task-text.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/gap-file.h"
#include "common/parse.h"
#include "common/progress-source.h"

/* longrun show */

const Option show_options[] = {
    {OPT_JSON, 'j', "json", NULL, "print JSON"},
    OPTIONS_END,
};

static const char *format_number(char buf[FORMAT_MAX], uint64_t value) {
    snprintf(buf, FORMAT_MAX, "%" PRIu64, value);
    return buf;
}

/* A word as a shell would read it. */
static void put_quoted(FILE *f, const char *word) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-+=./:,@%^";

    if (word[0] && strspn(word, plain) == strlen(word)) {
        fputs(word, f);
        return;
    }
    putc('\'', f);
    for (const char *p = word; *p; p++)
        if (*p == '\'')
            fputs("'\\''", f);
        else
            putc(*p, f);
    putc('\'', f);
}

static void print_command(const cJSON *task) {
    _cleanup_free_ char *line = NULL;
    const cJSON *word;
    size_t size;
    FILE *f = must(open_memstream(&line, &size));

    cJSON_ArrayForEach (word, cJSON_GetObjectItemCaseSensitive(task, "argv")) {
        if (word->prev->next)
            putc(' ', f);
        put_quoted(f, strempty(cJSON_GetStringValue(word)));
    }
    fclose(f);
    print_field("Command", must(line));
}

static void print_state(const cJSON *task) {
    const char *state = json_string(task, "state");
    const char *colour = output_has_colour() ? state_colour(state) : "";
    _cleanup_free_ char *reason = text_display(json_string(task, "reason"));

    printf("%10s: %s%s%s%s%s%s\n", "State", colour, state, colour[0] ? COLOUR_OFF : "",
           reason[0] ? " (" : "", reason, reason[0] ? ")" : "");
}

static void print_progress(const cJSON *task) {
    int percent = task_percent_done(task);
    char text[COUNT_MAX + 16], count[COUNT_MAX];

    task_count(count, task);
    if (percent < 0)
        print_field("Progress", count);
    else {
        snprintf(text, sizeof(text), "%d%%%s%s", percent, count[0] ? ", " : "", count);
        print_field("Progress", text);
    }
}

/* Where the progress comes from, in words. */
static const char *source_text(const cJSON *task) {
    static const char *const texts[_PROGRESS_SOURCE_MAX] = {
        [PROGRESS_SOURCE_NONE] = "",
        [PROGRESS_SOURCE_PERCENT] = "a percentage in its output",
        [PROGRESS_SOURCE_COUNTER] = "a count in its output",
        [PROGRESS_SOURCE_OSC] = "OSC 9;4 in its output",
        [PROGRESS_SOURCE_NOTIFY] = "what it says itself",
    };

    return texts[progress_source_from_string(json_string(task, "progress-source"))];
}

static void print_pace(const cJSON *task) {
    uint64_t end = json_u64(task, "expected-end-time");
    char left[FORMAT_MAX], when[TIME_MAX], text[FORMAT_MAX + TIME_MAX + 16];

    print_field("Known from", source_text(task));
    print_field("Rate", task_rate(text, task));
    if (end == 0)
        return;
    task_left(left, task, clock_usec(CLOCK_REALTIME));
    snprintf(text, sizeof(text), "in %s, at %s", left, format_time(when, end));
    print_field("Will end", text);
}

static void print_times(const cJSON *task) {
    static const struct {
        const char *key, *name;
    } times[] = {{"created-at", "Created"}, {"started-at", "Started"}, {"finished-at", "Finished"}};
    uint64_t started = json_u64(task, "started-at"), finished = json_u64(task, "finished-at");
    uint64_t end = finished > 0 ? finished : clock_usec(CLOCK_REALTIME);
    char when[TIME_MAX], took[FORMAT_MAX];

    for (size_t i = 0; i < ELEMENTSOF(times); i++)
        if (json_u64(task, times[i].key) > 0)
            print_field(times[i].name, format_time(when, json_u64(task, times[i].key)));
    if (started > 0 && end >= started)
        print_field("Took", format_span(took, end - started));
}

static void print_end(const cJSON *task) {
    double code = json_double(task, "exit-code");
    char text[64];

    if (json_u64(task, "finished-at") > 0 && code >= 0) {
        snprintf(text, sizeof(text), "%d", (int)code);
        print_field("Exit code", text);
    }
    print_field("Message", json_string(task, "message"));
}

/* What the task has used so far, or in all. */
static void print_usage(const cJSON *task) {
    const cJSON *usage = cJSON_GetObjectItemCaseSensitive(task, "usage");
    uint64_t cpu = json_u64(usage, "cpu-usec"), memory = json_u64(usage, "memory-peak");
    char text[FORMAT_MAX];

    if (cpu > 0)
        print_field("CPU time", format_span(text, cpu));
    if (memory > 0)
        print_field("Memory", format_size(text, memory));
}

/* "time 1h 0min, memory 512.0M": those that were set. */
static void print_limits(const cJSON *task) {
    static const struct {
        const char *key, *name;
        enum {
            SPAN,
            SIZE,
            NUMBER
        } as;
    } limits[] = {
        {"timeout", "time", SPAN},         {"idle-timeout", "idle", SPAN},
        {"queue-timeout", "queued", SPAN}, {"memory-max", "memory", SIZE},
        {"pids-max", "processes", NUMBER}, {"cpu-weight", "CPU weight", NUMBER},
    };
    _cleanup_free_ char *line = NULL;
    char buf[FORMAT_MAX];
    size_t size;
    FILE *f = must(open_memstream(&line, &size));

    for (size_t i = 0; i < ELEMENTSOF(limits); i++) {
        uint64_t value = json_u64(task, limits[i].key);
        if (value == 0)
            continue;
        fprintf(f, "%s%s %s", ftell(f) > 0 ? ", " : "", limits[i].name,
                limits[i].as == SPAN   ? format_span(buf, value)
                : limits[i].as == SIZE ? format_size(buf, value)
                                       : format_number(buf, value));
    }
    fclose(f);
    print_field("Limits", must(line));
}

/* Where the task differs from others in how it is treated. */
static void print_treatment(const cJSON *task) {
    const cJSON *nice = cJSON_GetObjectItemCaseSensitive(task, "nice");
    char text[FORMAT_MAX];

    print_limits(task);
    if (cJSON_IsNumber(nice) && nice->valueint != 0) {
        snprintf(text, sizeof(text), "%d", nice->valueint);
        print_field("Nice", text);
    }
    if (streq(json_string(task, "on-interrupt"), "restart"))
        print_field("If lost", "it starts again");
    if (cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(task, "notify")))
        print_field("At its end", "no notification");
}

static void print_params(const cJSON *task) {
    const cJSON *params = cJSON_GetObjectItemCaseSensitive(task, "params");

    if (!cJSON_IsObject(params))
        return;
    _cleanup_free_ char *text = must(cJSON_PrintUnformatted(params));
    print_field("Params", text);
}

/* Bytes that are left out of the middle of the file; 0 also where that cannot be seen. */
static uint64_t left_out(const char *path, uint64_t size) {
    _cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    uint64_t end;

    if (fd < 0 || !gap_file_has_gap(fd, 0, size, 0, &end))
        return 0;
    off_t begin = lseek(fd, 0, SEEK_HOLE);
    return begin >= 0 && (uint64_t)begin < end ? end - (uint64_t)begin : 0;
}

/* "575.1K, 64.0K of it kept" */
static void print_log(const cJSON *task) {
    uint64_t size = json_u64(task, "log-size"), out = 0;
    const char *path = json_string(task, "log-file");
    char all[FORMAT_MAX], kept[FORMAT_MAX], text[2 * FORMAT_MAX + 16];

    if (path[0])
        out = left_out(path, size);
    format_size(all, size);
    if (out == 0 || out >= size)
        print_field("Log", all);
    else {
        snprintf(text, sizeof(text), "%s, %s of it kept", all, format_size(kept, size - out));
        print_field("Log", text);
    }
    print_field("Log file", path);
}

static void print_task(const cJSON *task) {
    char text[FORMAT_MAX];

    print_field("Task", format_number(text, json_u64(task, "id")));
    print_field("Label", json_string(task, "label"));
    print_state(task);
    print_progress(task);
    print_pace(task);
    print_field("Phase", json_string(task, "phase"));
    print_field("Status", json_string(task, "status"));
    print_end(task);
    print_times(task);
    if (json_u64(task, "attempt") > 1)
        print_field("Attempt", format_number(text, json_u64(task, "attempt")));
    print_usage(task);
    print_field("Kind", json_string(task, "kind"));
    if (streq(json_string(task, "kind"), "command")) {
        print_command(task);
        print_field("Directory", json_string(task, "cwd"));
    }
    print_params(task);
    show_plan(task);
    print_treatment(task);
    print_field("Key", json_string(task, "unique"));
    if (json_u64(task, "pid") > 0)
        print_field("Process", format_number(text, json_u64(task, "pid")));
    print_log(task);
    if (json_is_true(task, "has-result"))
        print_field("Result", "yes, \"longrun result\" takes it");
    show_attempts(task);
}

int cmd_show(const Invocation *inv) {
    _cleanup_free_ uint64_t *ids = invocation_ids(inv);
    _cleanup_bus_ sd_bus *bus = NULL;
    _cleanup_json_ cJSON *task = NULL;
    int r;

    if (!ids)
        return EXIT_USAGE;
    r = client_connect(&bus);
    if (r < 0)
        return r;
    r = client_task_properties(bus, ids[0], &task);
    if (r < 0)
        return r;
    if (invocation_has(inv, OPT_JSON))
        return json_print(task);
    print_task(task);
    return EXIT_SUCCESS;
}
