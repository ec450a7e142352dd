#include "client-cli/watch-view.h"

#include <errno.h>
#include <stdio.h>

#include "client-cli/output.h"
#include "client-cli/task-text.h"
#include "client-cli/terminal-progress.h"
#include "common/clock.h"
#include "common/parse.h"

#define BAR_WIDTH_MAX 24

/* What the task is at, or after its end how it ended. */
static char *status_text(const cJSON *task, const TaskEnd *end) {
    const char *message = json_string(task, "message");
    const char *phase = json_string(task, "phase"), *status = json_string(task, "status");
    _cleanup_free_ char *both = NULL;

    if (end && message[0])
        return text_display(message);
    if (!phase[0] && !status[0])
        return task_reason(task, clock_usec(CLOCK_REALTIME));
    if (asprintf(&both, "%s%s%s", phase, phase[0] && status[0] ? ": " : "", status) < 0)
        both = NULL;
    return text_display(must(both));
}

static const char *run_time(char buf[FORMAT_MAX], const cJSON *task, const TaskEnd *end) {
    uint64_t started = json_u64(task, "started-at"), until = json_u64(task, "finished-at");

    until = until > 0 ? until : clock_usec(CLOCK_REALTIME);
    if (started == 0 || until < started)
        return "-";
    if (!end && until - started < USEC_PER_SEC)
        return "0.0s";
    /* Whole seconds while it counts: tenths would only flicker. */
    return format_span(buf,
                       end ? until - started : (until - started) / USEC_PER_SEC * USEC_PER_SEC);
}

/* ---- the bar ---- */

/* What there is besides the status, the most of it first. */
typedef struct Layout {
    int bar; /* columns, at most */
    bool rate, count, time;
    size_t status; /* columns that the status is to have, unless it is shorter */
} Layout;

static const Layout layouts[] = {
    {BAR_WIDTH_MAX, true, true, true, 20},
    {16, true, true, true, 20},
    {8, true, true, true, 20},
    {8, false, true, true, 20},
    {8, false, false, true, 20},
    {0, false, false, true, 6},
    {0, false, false, false, 0},
};

/* It is not to change its width all the time. */
static int bar_width(size_t columns) {
    return columns >= 90 ? BAR_WIDTH_MAX : columns >= 70 ? 16 : columns >= 50 ? 8 : 0;
}

static void put_bar(FILE *f, int width, int done) {
    int filled = MAX(done, 0) * width / 100;

    if (width == 0)
        return;
    fputs(" [", f);
    for (int i = 0; i < width; i++)
        putc(i < filled ? '#' : '.', f);
    putc(']', f);
}

static void put_part(FILE *f, const char *text, const char *behind) {
    if (text[0])
        fprintf(f, "  %s%s", text, behind);
}

/* How long it will take, or else how long it has taken. */
static void put_time(FILE *f, const cJSON *task, const TaskEnd *end) {
    char left[FORMAT_MAX], taken[FORMAT_MAX];

    task_left(left, task, clock_usec(CLOCK_REALTIME));
    if (left[0])
        put_part(f, left, " left");
    else
        put_part(f, run_time(taken, task, end), "");
}

/* All but the status. */
static char *line_head(const Layout *l, int bar_max, const cJSON *task, const TaskEnd *end) {
    char rate[FORMAT_MAX], count[COUNT_MAX];
    int done = task_percent_done(task);
    char *head = NULL;
    size_t size;
    FILE *f = must(open_memstream(&head, &size));

    put_bar(f, MIN(l->bar, bar_max), done);
    fprintf(f, done < 0 ? "   --" : " %3d%%", done);
    if (l->time)
        put_time(f, task, end);
    if (!end && l->count)
        put_part(f, task_count(count, task), "");
    if (!end && l->rate)
        put_part(f, task_rate(rate, task), "");
    fclose(f);
    return must(head);
}

static size_t status_room(const Layout *l, const char *status) {
    return status[0] ? 2 + MIN(text_columns(status), l->status) : 0;
}

/* As much as there is room for. */
static char *bar_line(const cJSON *task, const TaskEnd *end, size_t columns, size_t room) {
    _cleanup_free_ char *status = status_text(task, end), *head = NULL;
    char *line;

    for (size_t i = 0; i < ELEMENTSOF(layouts); i++) {
        free(head);
        head = line_head(&layouts[i], bar_width(columns), task, end);
        if (text_columns(head) + status_room(&layouts[i], status) <= room)
            break;
    }
    if (asprintf(&line, "%s%s%s", head, status[0] ? "  " : "", status) < 0)
        line = NULL;
    return must(line);
}

static void draw_bar(const cJSON *task, const TaskEnd *end) {
    const char *state = json_string(task, "state");
    const char *colour = output_has_colour() ? state_colour(state) : "";
    /* The last column stays free: a terminal may wrap there. */
    size_t used = strlen(state) + 1, columns = output_columns();
    size_t room = columns > used ? columns - used : 1;
    _cleanup_free_ char *line = bar_line(task, end, columns, room);
    _cleanup_free_ char *cut = text_cut(line, room);

    printf("\r%s%s%s%s\x1b[K", colour, state, colour[0] ? COLOUR_OFF : "", cut);
    if (!end)
        terminal_progress_show(task_percent_done(task));
    else
        terminal_progress_clear();
    fflush(stdout);
    output_open_line();
}

/* Takes the line; what has been said already is not said again. */
static void print_line(WatchView *v, char *line) {
    must(line);
    if (!v->last || !streq(v->last, line)) {
        puts(line);
        fflush(stdout);
    }
    free(v->last);
    v->last = line;
}

static void print_plain(WatchView *v, const cJSON *task, const TaskEnd *end) {
    _cleanup_free_ char *status = status_text(task, end);
    char number[8] = "";
    char *line;

    if (task_percent_done(task) >= 0)
        snprintf(number, sizeof(number), " %d%%", task_percent_done(task));
    if (asprintf(&line, "%s%s%s%s", json_string(task, "state"), number, status[0] ? " " : "",
                 status) < 0)
        line = NULL;
    print_line(v, line);
}

static void print_json(WatchView *v, const cJSON *task, const TaskEnd *end) {
    static const char *const keys[] = {"id",   "state", "progress",          "done",  "total",
                                       "unit", "rate",  "expected-end-time", "phase", "status"};
    _cleanup_json_ cJSON *object = must(cJSON_CreateObject());

    for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(task, keys[i]);
        if (item) /* a daemon of an older version has not all of them */
            cJSON_AddItemToObject(object, keys[i], must(cJSON_Duplicate(item, true)));
    }
    if (end) {
        cJSON_AddNumberToObject(object, "exit-code", end->code);
        cJSON_AddStringToObject(object, "message", json_string(task, "message"));
    }
    print_line(v, cJSON_PrintUnformatted(object));
}

int watch_view_show(WatchView *v, const cJSON *task, const TaskEnd *end) {
    if (v->as_json)
        print_json(v, task, end);
    else if (output_is_terminal())
        draw_bar(task, end);
    else
        print_plain(v, task, end);
    return ferror(stdout) ? -EIO : 0;
}

void watch_view_done(WatchView *v) {
    free(TAKE_PTR(v->last));
}
