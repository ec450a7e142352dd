/* The thread pool: every item is worked on once, in order, and given back; the pool waits for those
 * at work when it closes and drops those that wait. */

#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "daemon/exec/thread-pool.h"
#include "tests/unit/unit.h"

#define THREADS_MAX 512 /* the pool's */

static ThreadPool *pool;

static void setup(void) {
    MUST(thread_pool_new(&pool) == 0);
}

static void teardown(void) {
    pool = thread_pool_free(pool);
}

static bool readable(int timeout_msec) {
    struct pollfd p = {.fd = thread_pool_fd(pool), .events = POLLIN};
    return poll(&p, 1, timeout_msec) > 0;
}

/* The next item that has news; waits for it. */
static PoolItem *take(bool *ret_done) {
    PoolItem *item;

    MUST(readable(20000));
    item = thread_pool_take(pool, ret_done);
    MUST(item);
    return item;
}

static void take_done(PoolItem *expected) {
    bool done = false;

    ck_assert_ptr_eq(take(&done), expected);
    ck_assert(done);
}

/* ---- items that count ---- */

typedef struct Counted {
    PoolItem item;
    unsigned worked, returned;
    pthread_t thread;
} Counted;

static void work_counted(PoolItem *item) {
    Counted *c = CONTAINER_OF(item, Counted, item);
    c->worked++;
    c->thread = pthread_self();
}

#define MANY 5000

static Counted many[MANY];

START_TEST(test_many) {
    for (size_t i = 0; i < MANY; i++) {
        many[i].item.work = work_counted;
        MUST(thread_pool_submit(pool, &many[i].item) == 0);
    }
    for (size_t n = 0; n < MANY; n++) {
        bool done = false;
        Counted *c = CONTAINER_OF(take(&done), Counted, item);
        MUST(done && c->worked == 1 && c->returned == 0);
        c->returned++;
    }
    bool done;
    ck_assert(!readable(0));
    ck_assert_ptr_null(thread_pool_take(pool, &done));
    for (size_t i = 0; i < MANY; i++)
        MUST(many[i].returned == 1);
}
END_TEST

/* One after the other: a thread that is idle is used, and an item may come again. */
START_TEST(test_one_thread) {
    Counted c = {.item.work = work_counted};
    pthread_t first = 0;

    for (unsigned i = 1; i <= 500; i++) {
        MUST(thread_pool_submit(pool, &c.item) == 0);
        take_done(&c.item);
        MUST(c.worked == i);
        if (i == 1)
            first = c.thread;
        MUST(pthread_equal(c.thread, first));
    }
}
END_TEST

/* ---- items that hold their threads ---- */

typedef struct Held {
    PoolItem item;
    sem_t go;
} Held;

static Held held[THREADS_MAX];
static sem_t begun;

static void work_held(PoolItem *item) {
    Held *h = CONTAINER_OF(item, Held, item);

    sem_post(&begun);
    while (sem_wait(&h->go) < 0)
        ;
}

static void wait_for(sem_t *s) {
    struct timespec deadline;

    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += 20;
    MUST(sem_timedwait(s, &deadline) == 0);
}

/* Every thread that the pool may have is at work. */
static void hold_all(void) {
    sem_init(&begun, 0, 0);
    for (size_t i = 0; i < THREADS_MAX; i++) {
        held[i].item.work = work_held;
        sem_init(&held[i].go, 0, 0);
        MUST(thread_pool_submit(pool, &held[i].item) == 0);
    }
    for (size_t i = 0; i < THREADS_MAX; i++)
        wait_for(&begun);
}

/* With a single free thread the items are worked on, and come back, in the order in which they went
 * in; none before there is a thread. */
START_TEST(test_order) {
    static Counted waiting[200];

    hold_all();
    for (size_t i = 0; i < ELEMENTSOF(waiting); i++) {
        waiting[i].item.work = work_counted;
        MUST(thread_pool_submit(pool, &waiting[i].item) == 0);
    }
    ck_assert(!readable(50)); /* THREADS_MAX: they really wait */
    for (size_t i = 0; i < ELEMENTSOF(waiting); i++)
        MUST(waiting[i].worked == 0);

    sem_post(&held[7].go);
    take_done(&held[7].item);
    for (size_t i = 0; i < ELEMENTSOF(waiting); i++)
        take_done(&waiting[i].item);
    for (size_t i = 0; i < THREADS_MAX; i++)
        sem_post(&held[i].go);
}
END_TEST

static bool main_thread_sleeps(void) {
    char path[64], state = 0;

    snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)getpid());
    FILE *f = fopen(path, "re");
    MUST(f && fscanf(f, "%*d (%*[^)]) %c", &state) == 1);
    fclose(f);
    return state == 'S';
}

/* Lets go of the held ones once the main thread waits for the pool's end. */
static void *release_all(void *userdata) {
    uint64_t deadline = clock_usec(CLOCK_MONOTONIC) + 20 * USEC_PER_SEC;

    wait_for(userdata);
    while (!main_thread_sleeps())
        MUST(clock_usec(CLOCK_MONOTONIC) < deadline);
    for (size_t i = 0; i < THREADS_MAX; i++)
        sem_post(&held[i].go);
    return NULL;
}

START_TEST(test_free_while_items_wait) {
    static Counted waiting[50];
    pthread_t releaser;
    sem_t closing;

    hold_all();
    for (size_t i = 0; i < ELEMENTSOF(waiting); i++) {
        waiting[i].item.work = work_counted;
        MUST(thread_pool_submit(pool, &waiting[i].item) == 0);
    }
    sem_init(&closing, 0, 0);
    MUST(pthread_create(&releaser, NULL, release_all, &closing) == 0);
    sem_post(&closing);
    pool = thread_pool_free(pool);
    pthread_join(releaser, NULL);
    for (size_t i = 0; i < THREADS_MAX; i++)
        MUST(held[i].item.done);
    for (size_t i = 0; i < ELEMENTSOF(waiting); i++)
        MUST(waiting[i].worked == 0 && !waiting[i].item.done);
}
END_TEST

START_TEST(test_free_at_once) {
    for (int i = 0; i < 200; i++) {
        Counted c[4] = {};
        for (size_t k = 0; k < ELEMENTSOF(c); k++) {
            c[k].item.work = work_counted;
            MUST(thread_pool_submit(pool, &c[k].item) == 0);
        }
        thread_pool_free(pool);
        for (size_t k = 0; k < ELEMENTSOF(c); k++)
            MUST(c[k].worked <= 1 && c[k].item.done == (c[k].worked == 1));
        MUST(thread_pool_new(&pool) == 0);
    }
    ck_assert_ptr_null(thread_pool_free(NULL));
}
END_TEST

/* An item that no thread has begun can be taken back; it comes as any other that is done. */
START_TEST(test_withdraw) {
    Counted waiting[3] = {};

    hold_all();
    for (size_t i = 0; i < ELEMENTSOF(waiting); i++) {
        waiting[i].item.work = work_counted;
        MUST(thread_pool_submit(pool, &waiting[i].item) == 0);
    }
    thread_pool_lock(pool);
    ck_assert(thread_pool_withdraw(pool, &waiting[1].item));
    ck_assert(!thread_pool_withdraw(pool, &waiting[1].item)); /* it is done */
    ck_assert(!thread_pool_withdraw(pool, &held[0].item));    /* it is at work */
    thread_pool_unlock(pool);
    take_done(&waiting[1].item);
    ck_assert_uint_eq(waiting[1].worked, 0);

    sem_post(&held[0].go);
    take_done(&held[0].item);
    take_done(&waiting[0].item);
    take_done(&waiting[2].item);
    ck_assert_uint_eq(waiting[0].worked + waiting[2].worked, 2);
    /* And may come again. */
    ck_assert_int_eq(thread_pool_submit(pool, &waiting[1].item), 0);
    take_done(&waiting[1].item);
    ck_assert_uint_eq(waiting[1].worked, 1);
    for (size_t i = 1; i < THREADS_MAX; i++)
        sem_post(&held[i].go);
}
END_TEST

/* ---- the limit ---- */

/* Never more at work than the limit says; those beyond are begun in their order, each when another
 * one is done, before the owner has heard of that. */
START_TEST(test_limit) {
    Counted waiting[3] = {};

    sem_init(&begun, 0, 0);
    thread_pool_set_limit(pool, 2);
    for (size_t i = 0; i < 2; i++) {
        held[i].item.work = work_held;
        sem_init(&held[i].go, 0, 0);
        MUST(thread_pool_submit(pool, &held[i].item) == 0);
    }
    for (size_t i = 0; i < ELEMENTSOF(waiting); i++) {
        waiting[i].item.work = work_counted;
        thread_pool_submit_ahead(pool, &waiting[i].item);
    }
    thread_pool_set_limit(pool, 2);
    wait_for(&begun);
    wait_for(&begun);
    ck_assert(!readable(50));
    sem_post(&held[1].go);
    take_done(&held[1].item);
    for (size_t i = 0; i < ELEMENTSOF(waiting); i++)
        take_done(&waiting[i].item);

    /* With a lower limit that one ends makes no room. */
    held[1].item.work = work_held;
    MUST(thread_pool_submit(pool, &held[1].item) == 0);
    wait_for(&begun);
    thread_pool_set_limit(pool, 1);
    thread_pool_submit_ahead(pool, &waiting[0].item);
    sem_post(&held[1].go);
    take_done(&held[1].item);
    ck_assert(!readable(50));
    thread_pool_set_limit(pool, 2);
    take_done(&waiting[0].item);
    ck_assert_uint_eq(waiting[0].worked, 2);
    sem_post(&held[0].go);
    take_done(&held[0].item);
}
END_TEST

/* A limit that is raised calls as many threads as there is work for, or makes them. */
START_TEST(test_raised_limit) {
    sem_init(&begun, 0, 0);
    thread_pool_set_limit(pool, 0);
    for (size_t i = 0; i < 8; i++) {
        held[i].item.work = work_held;
        sem_init(&held[i].go, 0, 0);
        if (i % 2 == 0)
            MUST(thread_pool_submit(pool, &held[i].item) == 0);
        else
            thread_pool_submit_ahead(pool, &held[i].item);
    }
    ck_assert(!readable(50));
    thread_pool_set_limit(pool, 3);
    for (size_t i = 0; i < 3; i++)
        wait_for(&begun);
    ck_assert_int_lt(sem_trywait(&begun), 0);
    thread_pool_set_limit(pool, 100);
    for (size_t i = 0; i < 5; i++)
        wait_for(&begun);
    for (size_t i = 0; i < 8; i++) {
        sem_post(&held[i].go);
        take_done(&held[i].item);
    }
}
END_TEST

/* With one thread at work items are begun, and told as begun, in their order. */
static PoolItem *order[100];
static size_t n_order;

static void note_begin(PoolItem *item) {
    MUST(item->begun && !item->done);
    order[n_order++] = item;
}

START_TEST(test_begin) {
    static Counted items[100];
    Counted back = {.item = {.work = work_counted, .begin = note_begin}};

    n_order = 0;
    thread_pool_set_limit(pool, 0);
    for (size_t i = 0; i < ELEMENTSOF(items); i++) {
        items[i].item.work = work_counted;
        items[i].item.begin = note_begin;
        thread_pool_submit_ahead(pool, &items[i].item);
        if (i == 50)
            thread_pool_submit_ahead(pool, &back.item);
    }
    thread_pool_lock(pool);
    ck_assert(thread_pool_take_back(pool, &back.item));
    thread_pool_unlock(pool);
    ck_assert(!readable(0)); /* nothing is told of it */
    thread_pool_set_limit(pool, 4);
    for (size_t i = 0; i < ELEMENTSOF(items); i++) {
        bool done = false;
        MUST(take(&done) && done);
    }
    for (size_t i = 0; i < ELEMENTSOF(items); i++)
        MUST(order[i] == &items[i].item && items[i].worked == 1);
    thread_pool_lock(pool);
    ck_assert(!thread_pool_take_back(pool, &items[3].item));
    thread_pool_unlock(pool);
    ck_assert_uint_eq(back.worked, 0);
}
END_TEST

/* ---- news ---- */

static void work_news(PoolItem *item) {
    Held *h = CONTAINER_OF(item, Held, item);

    for (int i = 0; i < 10; i++) {
        thread_pool_lock(pool);
        thread_pool_notify(pool, item);
        thread_pool_unlock(pool);
    }
    sem_post(&begun);
    while (sem_wait(&h->go) < 0)
        ;
}

START_TEST(test_news) {
    Held *h = &held[0];
    bool done = true;

    sem_init(&begun, 0, 0);
    sem_init(&h->go, 0, 0);
    h->item.work = work_news;
    ck_assert_int_eq(thread_pool_submit(pool, &h->item), 0);
    wait_for(&begun);
    ck_assert_ptr_eq(take(&done), &h->item); /* once for ten */
    ck_assert(!done);
    ck_assert(!readable(0));
    ck_assert_ptr_null(thread_pool_take(pool, &done));
    sem_post(&h->go);
    take_done(&h->item);
    ck_assert(!readable(0));
}
END_TEST

/* News that nobody has looked at, and the end: one item, done. */
START_TEST(test_news_and_end) {
    static Held items[3];
    bool done = false;

    sem_init(&begun, 0, 0);
    for (size_t i = 0; i < ELEMENTSOF(items); i++) {
        items[i].item.work = work_news;
        sem_init(&items[i].go, 0, 1);
        ck_assert_int_eq(thread_pool_submit(pool, &items[i].item), 0);
    }
    for (size_t n = 0; n < ELEMENTSOF(items);) {
        (void)take(&done);
        n += done;
    }
    ck_assert(!readable(0));
}
END_TEST

/* ---- waiting ---- */

START_TEST(test_wait_until) {
    uint64_t start = clock_usec(CLOCK_MONOTONIC);
    pthread_cond_t condition;

    thread_pool_condition_init(&condition);
    thread_pool_lock(pool);
    /* A condition may wake up for no reason, so the deadline is asked for again. */
    while (thread_pool_wait_until(pool, &condition, start + 30 * USEC_PER_MSEC))
        ;
    thread_pool_unlock(pool);
    ck_assert_uint_ge(clock_usec(CLOCK_MONOTONIC), start + 30 * USEC_PER_MSEC);
    thread_pool_lock(pool);
    ck_assert(!thread_pool_wait_until(pool, &condition, 0)); /* long over */
    thread_pool_unlock(pool);
    pthread_cond_destroy(&condition);
}
END_TEST

/* ---- threads ---- */

static int count_threads(void) {
    int n = 0;
    char line[128];
    FILE *f = fopen("/proc/self/status", "re");

    MUST(f);
    while (fgets(line, sizeof(line), f))
        (void)sscanf(line, "Threads: %d", &n);
    fclose(f);
    return n;
}

START_TEST(test_threads_end) {
    uint64_t deadline = clock_usec(CLOCK_MONOTONIC) + 20 * USEC_PER_SEC;
    Counted c = {.item.work = work_counted};
    bool done;

    /* Once there is a thread, whatever else watches over threads is there, too. */
    ck_assert_int_eq(thread_pool_submit(pool, &c.item), 0);
    take_done(&c.item);
    int before = count_threads() - 1;

    hold_all();
    ck_assert_int_ge(count_threads(), before + THREADS_MAX);
    for (size_t i = 0; i < THREADS_MAX; i++)
        sem_post(&held[i].go);
    for (size_t i = 0; i < THREADS_MAX; i++)
        (void)take(&done);
    while (count_threads() > before) {
        ck_assert_uint_lt(clock_usec(CLOCK_MONOTONIC), deadline);
        usleep(50000); /* does not wait for anything but the clock */
    }
    /* And come again when there is work. */
    ck_assert_int_eq(thread_pool_submit(pool, &c.item), 0);
    take_done(&c.item);
}
END_TEST

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

#ifndef SANITIZED /* AddressSanitizer does not get along with so little memory */

static struct rlimit limit_before;

/* No stack for one thread more fits into memory. */
static void limit_memory(void) {
    unsigned long pages;
    FILE *f = fopen("/proc/self/statm", "re");

    MUST(f && fscanf(f, "%lu", &pages) == 1);
    fclose(f);
    MUST(getrlimit(RLIMIT_AS, &limit_before) == 0);
    struct rlimit limit = limit_before;
    limit.rlim_cur = pages * (rlim_t)sysconf(_SC_PAGESIZE) + 512 * KIB;
    MUST(setrlimit(RLIMIT_AS, &limit) == 0);
}

START_TEST(test_no_thread) {
    Counted c = {.item.work = work_counted};

    limit_memory();
    int r = thread_pool_submit(pool, &c.item);
    setrlimit(RLIMIT_AS, &limit_before);
    ck_assert_int_eq(r, -EAGAIN);
    ck_assert(!readable(0));
    ck_assert_int_eq(thread_pool_submit(pool, &c.item),
                     0); /* it is the caller's, and may go again */
    take_done(&c.item);
    ck_assert_uint_eq(c.worked, 1);
}
END_TEST

/* Where there is a thread already, it does the work of the one that could not be made. */
START_TEST(test_no_second_thread) {
    Counted c = {.item.work = work_counted};
    Held *h = &held[0];

    sem_init(&begun, 0, 0);
    sem_init(&h->go, 0, 0);
    h->item.work = work_held;
    ck_assert_int_eq(thread_pool_submit(pool, &h->item), 0);
    wait_for(&begun);
    limit_memory();
    int r = thread_pool_submit(pool, &c.item);
    setrlimit(RLIMIT_AS, &limit_before);
    ck_assert_int_eq(r, 0);
    ck_assert_uint_eq(c.worked, 0);
    sem_post(&h->go);
    take_done(&h->item);
    take_done(&c.item);
}
END_TEST

#endif

static Suite *suite_new(void) {
    Suite *s = suite_create("thread-pool");
    TCase *t = tcase_create("thread-pool");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, test_many);
    tcase_add_test(t, test_one_thread);
    tcase_add_test(t, test_order);
    tcase_add_test(t, test_free_while_items_wait);
    tcase_add_test(t, test_free_at_once);
    tcase_add_test(t, test_withdraw);
    tcase_add_test(t, test_limit);
    tcase_add_test(t, test_raised_limit);
    tcase_add_test(t, test_begin);
    tcase_add_test(t, test_news);
    tcase_add_test(t, test_news_and_end);
    tcase_add_test(t, test_wait_until);
    tcase_add_test(t, test_threads_end);
#ifndef SANITIZED
    tcase_add_test(t, test_no_thread);
    tcase_add_test(t, test_no_second_thread);
#endif
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
