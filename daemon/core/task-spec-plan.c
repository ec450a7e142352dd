#include <inttypes.h>

#include "common/parse.h"
#include "daemon/core/group.h"
#include "daemon/core/task-options.h"
#include "daemon/core/task-spec-rules.h"

/* The rules for when a task may start, and how often. */

/* ---- its place ---- */

static int check_priority(const TaskSpec *s, Error *error) {
    return task_priority_check(s->priority, error);
}

int task_priority_check(int32_t priority, Error *error) {
    if (priority >= -TASK_PRIORITY_LIMIT && priority <= TASK_PRIORITY_LIMIT)
        return 0;
    return error_set(error, ERROR_INVALID_OPTION,
                     "priority is from %d to %d; the higher one goes first", -TASK_PRIORITY_LIMIT,
                     TASK_PRIORITY_LIMIT);
}

static int check_claim(const TokenClaim *c, const TokenClaim *before, Error *error) {
    int r = group_name_check("resource", c->name, error);

    if (r < 0)
        return r;
    if (before && streq(before->name, c->name))
        return error_set(error, ERROR_INVALID_OPTION,
                         "resources names %s twice: add up what the task wants of it", c->name);
    if (c->amount == 0)
        return error_set(error, ERROR_INVALID_OPTION,
                         "resources wants 0 of %s: give at least 1, or leave it out", c->name);
    return 0;
}

static int check_resources(const TaskSpec *s, Error *error) {
    size_t n = token_list_length(s->resources);
    int r = 0;

    if (n > TASK_RESOURCES_MAX)
        return error_set(error, ERROR_INVALID_OPTION,
                         "resources names %zu resources; at most %d are possible", n,
                         TASK_RESOURCES_MAX);
    for (size_t i = 0; r >= 0 && i < n; i++)
        r = check_claim(&s->resources->claims[i], i > 0 ? &s->resources->claims[i - 1] : NULL,
                        error);
    return r;
}

/* ---- what it waits for ---- */

static int check_after_one(const char *option, const IdList *l, bool are_places, Error *error) {
    size_t n = id_list_length(l);

    if (n > TASK_AFTER_MAX)
        return error_set(error, ERROR_INVALID_OPTION,
                         "%s names more than %d tasks: let a task of kind \"noop\" wait for some "
                         "of them, and this one for that",
                         option, TASK_AFTER_MAX);
    if (n > 0 && !are_places && l->ids[0] == 0) /* they are in order */
        return error_set(error, ERROR_INVALID_OPTION,
                         "%s names task 0, which there never is: ids begin at 1", option);
    return 0;
}

static int check_after(const TaskSpec *s, Error *error) {
    int r = check_after_one("after", s->after, false, error);

    if (r >= 0)
        r = check_after_one("after-any", s->after_any, false, error);
    if (r >= 0)
        r = check_after_one("after-failed", s->after_failed, false, error);
    return r < 0 ? r : check_after_one("after-index", s->after_index, true, error);
}

static int check_when_online(const TaskSpec *s, Error *error) {
    return isempty(s->when_online) ? 0 : group_name_check("backend", s->when_online, error);
}

int task_start_at_check(uint64_t start_at, uint64_t now_usec, Error *error) {
    if (start_at == 0 ||
        (start_at >= TASK_START_AT_MIN && start_at <= now_usec + TASK_START_AT_AHEAD))
        return 0;
    return error_set(
        error, ERROR_INVALID_OPTION,
        "start-at %" PRIu64 " lies %s: it is given in microseconds since 1970 (UTC), 0 for at once",
        start_at,
        start_at < TASK_START_AT_MIN ? "before the year 2000" : "more than a century ahead");
}

/* ---- again ---- */

static int check_retry_on(const CodeList *l, Error *error) {
    size_t n = code_list_length(l);

    if (n > TASK_RETRY_ON_MAX)
        return error_set(error, ERROR_INVALID_OPTION, "retry-on names more than %d exit codes",
                         TASK_RETRY_ON_MAX);
    for (size_t i = 0; i < n; i++)
        if (l->codes[i] < 1 || l->codes[i] > 255)
            return error_set(error, ERROR_INVALID_OPTION,
                             "retry-on: %" PRId32 " is not the exit code of a failure, which is "
                             "from 1 to 255",
                             l->codes[i]);
    return 0;
}

static int check_retries(const TaskSpec *s, Error *error) {
    char buf[FORMAT_MAX];

    if (s->retries > TASK_RETRIES_LIMIT)
        return error_set(error, ERROR_INVALID_OPTION, "retries is at most %d", TASK_RETRIES_LIMIT);
    if (s->retry_delay_usec > TASK_RETRY_DELAY_LIMIT)
        return error_set(error, ERROR_INVALID_OPTION,
                         "retry-delay is above %s; it is given in microseconds",
                         format_span(buf, TASK_RETRY_DELAY_LIMIT));
    return check_retry_on(s->retry_on, error);
}

/* Those of a group's defaults may say nothing to this task. */
static int check_retries_are_used(const TaskSpec *s, Error *error) {
    const char *option = TASK_SPEC_GIVES(s, retry_on)           ? "retry-on"
                         : TASK_SPEC_GIVES(s, retry_delay_usec) ? "retry-delay"
                                                                : NULL;

    if (!option || s->retries > 0)
        return 0;
    return error_set(error, ERROR_INVALID_OPTION,
                     "%s says nothing without retries: give retries as well", option);
}

/* ---- series ---- */

static int check_times(const TaskSpec *s, Error *error) {
    if (s->every_usec > 0 && !isempty(s->calendar))
        return error_set(error, ERROR_INVALID_OPTION,
                         "every and calendar exclude each other: start two tasks");
    if (s->every_usec > 0 && s->every_usec < TASK_EVERY_MIN)
        return error_set(error, ERROR_INVALID_OPTION,
                         "every is at least 100ms; it is given in microseconds, 0 for none");
    if (s->every_usec > TASK_TIMEOUT_LIMIT)
        return error_set(error, ERROR_INVALID_OPTION,
                         "every is above ten years; it is given in microseconds, 0 for none");
    if (strlen(s->calendar) > TASK_CALENDAR_MAX)
        return error_set(error, ERROR_INVALID_OPTION, "calendar has more than %" PRIu64 " bytes",
                         TASK_CALENDAR_MAX);
    if (s->persistent && isempty(s->calendar))
        return error_set(error, ERROR_INVALID_OPTION,
                         "persistent makes up for a run of the calendar that was missed: give "
                         "calendar as well");
    return 0;
}

static int check_series(const TaskSpec *s, Error *error) {
    const char *option = s->after          ? "after"
                         : s->after_any    ? "after-any"
                         : s->after_failed ? "after-failed"
                         : s->after_index  ? "after-index"
                                           : NULL;

    if (!option || !task_spec_is_series(s))
        return 0;
    return error_set(error, ERROR_INVALID_OPTION,
                     "%s does not go with %s: the runs of a series begin at their times. Let a "
                     "task that waits start the series",
                     option, s->every_usec > 0 ? "every" : "calendar");
}

/* ---- all of it ---- */

static void sort_lists(TaskSpec *s) {
    id_list_sort(s->after);
    id_list_sort(s->after_any);
    id_list_sort(s->after_failed);
    id_list_sort(s->after_index);
    code_list_sort(s->retry_on);
}

int task_spec_check_default_plan(TaskSpec *s, Error *error) {
    int r = check_priority(s, error);

    sort_lists(s);
    if (r >= 0)
        r = check_resources(s, error);
    return r < 0 ? r : check_retries(s, error);
}

int task_spec_check_plan(TaskSpec *s, Error *error) {
    int (*const rules[])(const TaskSpec *, Error *) = {
        check_after, check_when_online, check_retries_are_used, check_times, check_series,
    };
    int r = task_spec_check_default_plan(s, error);

    for (size_t i = 0; r >= 0 && i < ELEMENTSOF(rules); i++)
        r = rules[i](s, error);
    return r;
}
