/* How long a decision of the scheduler takes, with so many tasks in the queue:
 *
 *     bench-scheduler N groups|tokens|sets|one ROUNDS
 *
 * Each round, a task ends, another one comes, the next is claimed and started: so the queue stays
 * as long as it is. Prints nanoseconds on average: of all that, as CPU time, and of the start
 * alone.
 */

#include <inttypes.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/parse.h"
#include "daemon/core/scheduler.h"

#define SLOTS 4
#define GROUPS 50
#define SETS 1000

typedef enum Sort {
    SORT_ONE,    /* one group, and no tokens */
    SORT_GROUPS, /* GROUPS groups */
    SORT_TOKENS, /* of three resources, some 60 different sets, in three groups */
    SORT_SETS,   /* SETS different sets */
    _SORT_MAX,
} Sort;

static const char *const sorts[_SORT_MAX] = {"one", "groups", "tokens", "sets"};

static Scheduler scheduler;
static Group *groups[GROUPS];
static Sort sort;
static unsigned n_groups, seed = 1;
static uint64_t last_id;

static _Noreturn void die(const char *why) {
    fprintf(stderr, "bench-scheduler: %s\n", why);
    exit(1);
}

static unsigned any(unsigned n) {
    return (unsigned)rand_r(&seed) % n;
}

static uint64_t nanoseconds(clockid_t clock) {
    struct timespec ts;

    clock_gettime(clock, &ts);
    return (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
}

/* ---- tasks ---- */

static size_t draw_tokens(TokenClaim claims[3]) {
    size_t n = 0;

    if (sort == SORT_SETS)
        claims[n++] = (TokenClaim){.name = "gpu", .amount = 1 + any(SETS)};
    if (sort != SORT_TOKENS)
        return n;
    if (any(2))
        claims[n++] = (TokenClaim){.name = "disk", .amount = 1};
    if (any(3) > 0)
        claims[n++] = (TokenClaim){.name = "gpu", .amount = 1 + any(8)};
    if (any(3) > 0)
        claims[n++] = (TokenClaim){.name = "net", .amount = 1 + any(3)};
    return n;
}

static Task *new_task(void) {
    TaskDefaults defaults = {.cwd = "/"};
    TaskSpec *spec = task_spec_new("noop", &defaults);
    Task *t = spec ? task_new(++last_id, spec, 1) : NULL;
    TokenClaim claims[3];

    if (!t || token_list_new(&spec->resources, claims, draw_tokens(claims)) < 0 ||
        task_spec_pack(&t->spec) < 0)
        die("out of memory");
    t->spec->priority = (int32_t)any(5) - 2;
    return t;
}

static void add(Task *t) {
    scheduler_add(&scheduler, t, groups[any(n_groups)], 1);
}

static void set_up(void) {
    static const struct {
        const char *name;
        uint32_t capacity;
    } resources[] = {{"disk", 2}, {"gpu", SETS}, {"net", 4}};
    char name[16];

    scheduler_init(&scheduler, SLOTS, UINT32_MAX, NULL, NULL);
    n_groups = sort == SORT_GROUPS ? GROUPS : sort == SORT_TOKENS ? 3 : 1;
    for (unsigned i = 0; i < n_groups; i++) {
        snprintf(name, sizeof(name), "group-%u", i);
        groups[i] = group_new(name);
        if (!groups[i])
            die("out of memory");
        scheduler_add_group(&scheduler, groups[i]);
    }
    for (size_t i = 0; i < ELEMENTSOF(resources); i++) {
        uint32_t capacity = sort == SORT_TOKENS && i == 1 ? 8 : resources[i].capacity;
        if (resource_configure(&scheduler.resources, resources[i].name, capacity) < 0)
            die("out of memory");
    }
}

/* ---- rounds ---- */

/* A commit that is over at once. */
static void on_claim(void *userdata, Task *t) {
    t->claim = TASK_CLAIM_SAFE;
}

/* False: nobody could be started, since tokens are missing. */
static bool take(uint64_t *took) {
    bool unclaimed;
    uint64_t begin = nanoseconds(CLOCK_MONOTONIC);
    Task *t = scheduler_take(&scheduler, &unclaimed);

    *took += nanoseconds(CLOCK_MONOTONIC) - begin;
    if (!t && unclaimed)
        die("the next one is not claimed");
    if (t)
        (void)task_set_state(t, TASK_STARTING, 1);
    return t;
}

static void end_one(void) {
    for (unsigned g = any(n_groups), i = 0; i < n_groups; i++) {
        Task *t = TAILQ_FIRST(&groups[(g + i) % n_groups]->at_work);
        if (!t)
            continue;
        scheduler_release(&scheduler, t);
        (void)task_set_state(t, TASK_SUCCEEDED, 1);
        scheduler_task_ended(&scheduler, t, 1);
        return;
    }
}

static void run(Task **tasks, uint64_t n, uint64_t rounds) {
    uint64_t begin, in_takes = 0, n_takes = 0, in_all;

    for (uint64_t i = 0; i < n + rounds; i++)
        tasks[i] = new_task();
    for (uint64_t i = 0; i < n; i++)
        add(tasks[i]);
    begin = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
    for (uint64_t i = 0; i < rounds; i++) {
        end_one();
        add(tasks[n + i]);
        scheduler_claim(&scheduler, on_claim, NULL);
        do
            n_takes++;
        while (take(&in_takes));
    }
    in_all = nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - begin;
    printf("%" PRIu64 " %" PRIu64 "\n", in_all / rounds, in_takes / n_takes);
}

static int sort_from_string(const char *s) {
    for (unsigned i = 0; i < _SORT_MAX; i++)
        if (streq(sorts[i], s))
            return (int)i;
    die("one, groups, tokens or sets");
}

int main(int argc, char *argv[]) {
    uint64_t n, rounds;

    if (argc != 4 || parse_u64(argv[1], &n) < 0 || parse_u64(argv[3], &rounds) < 0 || n == 0 ||
        rounds == 0)
        die("N one|groups|tokens|sets ROUNDS");
    sort = (Sort)sort_from_string(argv[2]);
    Task **tasks = calloc(n + rounds, sizeof(Task *));
    if (!tasks)
        die("out of memory");
    set_up();
    run(tasks, n, rounds);
    for (uint64_t i = 0; i < n + rounds; i++)
        task_free(tasks[i]);
    free(tasks);
    scheduler_done(&scheduler);
    return 0;
}
