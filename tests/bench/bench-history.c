/* Fills a store with tasks, through the store's own interface:
 *
 *     bench-history DIR N [steps | waiting]
 *
 * makes DIR/longrun.db with N more of them and prints how long it took and how long each question
 * takes that clients ask. They have ended; with "waiting" none has begun: they wait for a time, for
 * another task, or in a group that is paused, and it prints how long it takes to load them and to
 * change 10,000 of them. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/parse.h"
#include "daemon/store/store.h"

#define BATCH 20000

static sd_event *event;
static bool answered;
static int answer_error;
static size_t answer_n;
static uint64_t answer_next;

static void check(int r, const char *what) {
    if (r >= 0)
        return;
    fprintf(stderr, "%s: %s\n", what, strerror(-r));
    exit(1);
}

static void wait_answer(void) {
    while (!answered)
        check(sd_event_run(event, UINT64_MAX), "loop");
    answered = false;
    check(answer_error, "store");
}

static void on_commit(void *userdata, int error) {
    answered = true;
    answer_error = error;
}

static void on_tasks(void *userdata, int error, Task **tasks, size_t n, uint64_t next) {
    on_commit(userdata, error);
    answer_n = n;
    answer_next = next;
}

static void on_ids(void *userdata, int error, const uint64_t *ids, size_t n) {
    on_commit(userdata, error);
    answer_n = n;
}

static void on_counts(void *userdata, int error, const uint32_t counts[_TASK_STATE_MAX]) {
    on_commit(userdata, error);
    answer_n = 0;
    for (unsigned i = 0; i < _TASK_STATE_MAX; i++)
        answer_n += counts[i];
}

/* ---- filling ---- */

#define GROUP_PAUSED "held"
static const char *const groups[] = {"default", "builds", "encodes", "backups"};

static char *text(const char *format, uint64_t n) {
    char *s;

    check(asprintf(&s, format, n), "memory");
    return s;
}

static void replace(char **field, char *value) {
    free(*field);
    *field = value;
}

static Task *make_task(EnvTable *envs, uint64_t id, uint64_t now) {
    static char home[] = "HOME=/nowhere", path[] = "PATH=/usr/bin:/bin";
    char *env[] = {home, path, NULL};
    TaskDefaults defaults = {
        .cwd = "/", .stop_timeout_usec = 10 * USEC_PER_SEC, .log_max = 64 * MIB, .result_max = MIB};
    TaskSpec *spec = task_spec_new(id % 5 == 0 ? "noop" : TASK_KIND_COMMAND, &defaults);
    Task *t = spec ? task_new(id, spec, now) : NULL;

    check(t ? 0 : -ENOMEM, "memory");
    replace(&spec->group, strdup(groups[id % 100 < 97 ? 0 : id % 100 - 96]));
    replace(&spec->label, text("make -j8 target-%" PRIu64, id));
    spec->argv = calloc(4, sizeof(char *));
    spec->argv[0] = strdup("make");
    spec->argv[1] = strdup("-j8");
    spec->argv[2] = text("target-%" PRIu64, id);
    spec->env = env_table_intern(envs, env);
    return t;
}

static void end_task(Task *t, uint64_t now) {
    bool failed = t->id % 50 == 0;

    check(task_set_state(t, TASK_STARTING, now), "start");
    check(task_set_state(t, TASK_RUNNING, now), "run");
    check(task_set_state(t, failed ? TASK_FAILED : TASK_SUCCEEDED, now + 1000), "end");
    t->exit_code = failed;
    t->log_size = task_work_make(t)->log_kept = t->id % 1000;
    if (failed)
        task_set_message(t, "exit code 1");
}

#define FAR_AWAY (UINT64_C(4102444800) * USEC_PER_SEC) /* 2100 */

static void let_wait(Task *t) {
    switch (t->id % 3) {
    case 0:
        t->state = TASK_WAITING;
        t->spec->start_at = t->due_at = FAR_AWAY;
        break;
    case 1:
        t->state = TASK_WAITING;
        check(id_list_new(&t->spec->after, (const uint64_t[]){t->id - 1}, 1), "memory");
        break;
    default:
        t->ready_at = t->created_at;
        break;
    }
    replace(&t->spec->group, strdup(GROUP_PAUSED));
}

static void commit_group(Store *s) {
    StoreBatch *b = store_batch_new();

    check(store_batch_put_group(b, &(Group){.name = (char *)GROUP_PAUSED, .paused = true}),
          "group");
    check(store_commit(s, b, on_commit, NULL), "commit");
    wait_answer();
    store_batch_free(b);
}

static void commit_tasks(Store *s, Task **tasks, size_t n, bool claimed) {
    StoreBatch *b = store_batch_new();

    for (size_t i = 0; i < n; i++)
        check(store_batch_put_task(b, tasks[i], claimed), "batch");
    check(store_commit(s, b, on_commit, NULL), "commit");
    wait_answer();
    for (size_t i = 0; i < n; i++)
        tasks[i]->stored = true;
    store_batch_free(b);
}

/* steps: each task is put in as queued, claimed and ended; otherwise with its end alone. */
static uint64_t fill(Store *s, EnvTable *envs, uint64_t count, bool steps, bool waiting) {
    uint64_t id = store_next_id(s), now = clock_usec(CLOCK_REALTIME), spent = 0;
    Task **tasks = calloc(BATCH, sizeof(Task *));

    for (uint64_t done = 0; done < count;) {
        size_t n = MIN((uint64_t)BATCH, count - done);
        for (size_t i = 0; i < n; i++, id++)
            tasks[i] = make_task(envs, id, now - (count - done - i) * USEC_PER_SEC);
        for (size_t i = 0; waiting && i < n; i++)
            let_wait(tasks[i]);
        uint64_t begun = clock_usec(CLOCK_MONOTONIC);
        if (steps) {
            commit_tasks(s, tasks, n, false);
            commit_tasks(s, tasks, n, true);
        }
        for (size_t i = 0; !waiting && i < n; i++)
            end_task(tasks[i], tasks[i]->created_at);
        commit_tasks(s, tasks, n, false);
        spent += clock_usec(CLOCK_MONOTONIC) - begun;
        for (size_t i = 0; i < n; i++)
            task_free(tasks[i]);
        done += n;
    }
    free(tasks);
    return spent;
}

/* ---- asking ---- */

static void print_time(const char *what, uint64_t begun) {
    printf("%-44s %8.2f ms  %zu\n", what, (double)(clock_usec(CLOCK_MONOTONIC) - begun) / 1000,
           answer_n);
}

static void ask(Store *s, uint64_t middle) {
    const struct {
        const char *what;
        TaskFilter filter;
    } pages[] = {
        {"page: first", {.limit = 100}},
        {"page: again", {.limit = 100}},
        {"page: newest", {.limit = 100, .newest_first = true}},
        {"page: from the middle", {.limit = 100, .cursor = middle}},
        {"page: newest from the middle", {.limit = 100, .cursor = middle, .newest_first = true}},
        {"page: failed", {.limit = 100, .states = 1u << TASK_FAILED}},
        {"page: failed, from the middle",
         {.limit = 100, .states = 1u << TASK_FAILED, .cursor = middle}},
        {"page: group", {.limit = 100, .group = "encodes"}},
        {"page: group, failed", {.limit = 100, .group = "builds", .states = 1u << TASK_FAILED}},
        {"page: kind, newest", {.limit = 100, .kind = "noop", .newest_first = true}},
        {"page: no such kind", {.limit = 100, .kind = "countdown"}},
        {"page: label", {.limit = 100, .label = "target-77"}},
        {"page: label that is not there", {.limit = 100, .label = "nothing"}},
        {"page: last hour, newest",
         {.limit = 100, .since = clock_usec(CLOCK_REALTIME) - USEC_PER_HOUR, .newest_first = true}},
        {"page: last hour, oldest first",
         {.limit = 100, .since = clock_usec(CLOCK_REALTIME) - USEC_PER_HOUR}},
    };

    for (size_t i = 0; i < ELEMENTSOF(pages); i++) {
        uint64_t begun = clock_usec(CLOCK_MONOTONIC);
        check(store_list(s, &pages[i].filter, on_tasks, NULL), "list");
        wait_answer();
        print_time(pages[i].what, begun);
    }
    for (size_t i = 0; i < ELEMENTSOF(pages); i++) {
        uint64_t begun = clock_usec(CLOCK_MONOTONIC);
        check(store_count(s, &pages[i].filter, on_counts, NULL), "count");
        wait_answer();
        printf("count as ");
        print_time(pages[i].what, begun);
    }
    uint64_t begun = clock_usec(CLOCK_MONOTONIC);
    check(store_excess_ids(s, &(StoreLimits){UINT64_MAX, UINT64_MAX, 0}, on_ids, NULL), "excess");
    wait_answer();
    print_time("excess: none", begun);
    begun = clock_usec(CLOCK_MONOTONIC);
    check(store_excess_ids(s, &(StoreLimits){0, UINT64_MAX, 0}, on_ids, NULL), "excess");
    wait_answer();
    print_time("excess: 1000", begun);
}

static Store *open_store(const char *dir) {
    Error error = {};
    char *damaged = NULL;
    Store *s;
    uint64_t begun = clock_usec(CLOCK_MONOTONIC);

    if (store_open(&s, event, dir, &damaged, &error) < 0) {
        fprintf(stderr, "%s\n", error.message);
        exit(1);
    }
    print_time(damaged ? "open, moved aside" : "open", begun);
    free(damaged);
    return s;
}

static int on_active(void *userdata, Task *task) {
    answer_n++;
    task_free(task);
    return 0;
}

/* ---- those that wait ---- */

#define CHANGES 10000

static Task **active;
static size_t n_active;

static int on_waiting(void *userdata, Task *task) {
    active[n_active++] = task;
    return 0;
}

/* As a daemon with all of them in memory does. */
static void change(Store *s, EnvTable *envs, uint64_t count) {
    uint64_t begun = clock_usec(CLOCK_MONOTONIC);

    active = calloc(count, sizeof(Task *));
    check(store_load_active(s, envs, on_waiting, NULL), "load");
    answer_n = n_active;
    print_time("load, and keep all", begun);
    for (size_t i = 0; i < MIN(n_active, (size_t)CHANGES); i++)
        active[i]->spec->priority++;
    begun = clock_usec(CLOCK_MONOTONIC);
    answer_n = MIN(n_active, (size_t)CHANGES);
    commit_tasks(s, active, answer_n, false);
    print_time("commit of changes", begun);
    for (size_t i = 0; i < n_active; i++)
        task_free(active[i]);
    free(active);
}

static void print_memory(void) {
    char line[256];
    FILE *f = fopen("/proc/self/status", "re");

    while (f && fgets(line, sizeof(line), f))
        if (strncmp(line, "VmRSS", 5) == 0 || strncmp(line, "RssAnon", 7) == 0)
            printf("%s", line);
    if (f)
        fclose(f);
}

int main(int argc, char **argv) {
    EnvTable *envs = env_table_new();
    uint64_t count;

    if (argc < 3 || parse_u64(argv[2], &count) < 0) {
        fprintf(stderr, "usage: bench-history DIR N [steps | waiting]\n");
        return 2;
    }
    bool steps = argc > 3 && streq(argv[3], "steps"),
         waiting = argc > 3 && streq(argv[3], "waiting");
    check(sd_event_new(&event), "event loop");
    Store *s = open_store(argv[1]);
    if (waiting)
        commit_group(s);
    if (count > 0) {
        double seconds = (double)fill(s, envs, count, steps, waiting) / USEC_PER_SEC;
        printf("%" PRIu64 " tasks in %.2f s, %.0f a second\n", count, seconds,
               (double)count / seconds);
    }
    s = store_free(s);
    s = open_store(argv[1]);
    uint64_t begun = clock_usec(CLOCK_MONOTONIC);
    answer_n = 0;
    check(store_load_active(s, envs, on_active, NULL), "load");
    print_time("active ones", begun);
    if (waiting)
        change(s, envs, store_next_id(s));
    print_memory();
    ask(s, store_next_id(s) / 2);
    print_memory();
    store_free(s);
    env_table_free(envs);
    sd_event_unref(event);
    return 0;
}
