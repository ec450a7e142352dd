/* The processes below a process: counted, signalled, ended, however they have tried to get away.
 *
 * The trees are made of processes that count the signals which they get and tell on demand. Signals
 * of the real-time sort queue up: one that is sent twice is counted twice. */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/proc-tree.h"
#include "tests/unit/unit.h"

#define COUNT_ME (SIGRTMIN + 1)
#define TELL (SIGRTMIN + 2) /* is delivered after those of COUNT_ME */

#define LIFE_SEC 60 /* of a process that a failed test has left behind */
#define NODES_MAX 8

typedef enum NodeFlags {
    SESSION = 1, /* a session of its own */
    GROUP = 2,   /* a process group of its own */
    ORPHAN = 4,  /* by a double fork: its parent is gone */
    THREAD = 8,  /* made by a second thread of its parent */
} NodeFlags;

typedef struct Node {
    int parent; /* index; the first node is the root */
    unsigned flags;
} Node;

typedef struct Word {
    int node;
    pid_t pid;
    int counted;
} Word;

static int words[2]; /* a pipe for all of them */

static void say(int node, int counted) {
    Word word = {.node = node, .pid = getpid(), .counted = counted};
    MUST(write(words[1], &word, sizeof(word)) == sizeof(word));
}

static Word hear(void) {
    struct pollfd p = {.fd = words[0], .events = POLLIN};
    Word word;

    MUST(poll(&p, 1, 20000) == 1);
    MUST(read(words[0], &word, sizeof(word)) == sizeof(word));
    return word;
}

/* The life of a process of the tree. */
static void live(int node) {
    struct timespec life = {.tv_sec = LIFE_SEC};
    int counted = 0, n;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, COUNT_ME);
    sigaddset(&set, TELL);
    say(node, 0);
    while ((n = sigtimedwait(&set, NULL, &life)) > 0 || errno == EINTR)
        if (n == TELL)
            say(node, counted);
        else if (n == COUNT_ME)
            counted++;
    _exit(0);
}

static void grow(const Node *nodes, int n, int self);

typedef struct Birth {
    const Node *nodes;
    int n, child;
} Birth;

static void *bear(void *userdata) {
    const Birth *b = userdata;
    unsigned flags = b->nodes[b->child].flags;
    pid_t pid = fork();

    MUST(pid >= 0);
    if (pid == 0) {
        if (flags & SESSION)
            setsid();
        if (flags & GROUP)
            setpgid(0, 0);
        if (flags & ORPHAN && fork() != 0)
            _exit(0);
        grow(b->nodes, b->n, b->child);
    }
    if (flags & ORPHAN)
        MUST(waitpid(pid, NULL, 0) == pid);
    while (flags & THREAD) /* its children are its own for as long as it lives */
        pause();
    return NULL;
}

static void grow(const Node *nodes, int n, int self) {
    static Birth births[NODES_MAX];

    for (int i = self + 1; i < n; i++) {
        if (nodes[i].parent != self)
            continue;
        births[i] = (Birth){.nodes = nodes, .n = n, .child = i};
        if (nodes[i].flags & THREAD) {
            pthread_t thread;
            MUST(pthread_create(&thread, NULL, bear, &births[i]) == 0);
        } else
            bear(&births[i]);
    }
    live(self);
}

static void block_signals(void) {
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, COUNT_ME);
    sigaddset(&set, TELL);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

/* Makes the tree and waits until all of it is there; gives the root. Nothing gets out of it. */
static pid_t plant(const Node *nodes, int n, pid_t pids[NODES_MAX]) {
    ck_assert_int_eq(pipe(words), 0);
    block_signals();
    pid_t root = fork();
    ck_assert_int_ge(root, 0);
    if (root == 0) {
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        grow(nodes, n, 0);
    }
    for (int i = 0; i < n; i++) {
        Word word = hear();
        pids[word.node] = word.pid;
    }
    ck_assert_int_eq(pids[0], root);
    return root;
}

static void uproot(pid_t root) {
    uint64_t deadline = clock_usec(CLOCK_MONOTONIC) + 20 * USEC_PER_SEC;
    siginfo_t info;

    MUST(proc_tree_signal(root, SIGKILL) >= 0);
    MUST(kill(root, SIGKILL) == 0);
    MUST(waitid(P_PID, (id_t)root, &info, WEXITED) == 0);
    while (proc_tree_count(getpid()) > 0)
        MUST(clock_usec(CLOCK_MONOTONIC) < deadline);
}

/* ---- counting and signalling ---- */

static const struct {
    int n;
    Node nodes[NODES_MAX];
} trees[] = {
    {1, {{-1}}},
    {2, {{-1}, {0}}},
    {4, {{-1}, {0}, {1}, {2}}},
    {5, {{-1}, {0}, {0}, {1}, {2}}},
    {3, {{-1}, {0, SESSION}, {1}}},
    {3, {{-1}, {0, SESSION | ORPHAN}, {0, ORPHAN}}},
    {4, {{-1}, {0, GROUP}, {1}, {1}}}, /* three of one group: each is told once */
    {5, {{-1}, {0, GROUP}, {1}, {2, GROUP}, {3}}},
    {4, {{-1}, {0, THREAD}, {1, THREAD}, {0, GROUP}}},
    {8, {{-1}, {0, GROUP}, {1}, {1, SESSION}, {3}, {3, ORPHAN}, {0, THREAD | SESSION}, {6}}},
};

/* Has the process tell how many signals it got. */
static int ask(pid_t pid) {
    ck_assert_int_eq(kill(pid, TELL), 0);
    Word word = hear();
    ck_assert_int_eq(word.pid, pid);
    return word.counted;
}

START_TEST(test_signal) {
    int n = trees[_i].n;
    pid_t pids[NODES_MAX], root = plant(trees[_i].nodes, n, pids);

    ck_assert_int_eq(proc_tree_count(root), n - 1);
    ck_assert_int_eq(proc_tree_signal(root, COUNT_ME), n - 1);
    for (int i = 1; i < n; i++)
        ck_assert_msg(ask(pids[i]) == 1, "node %d", i);
    ck_assert_int_eq(ask(root), 0);
    ck_assert_int_eq(proc_tree_signal(root, COUNT_ME), n - 1);
    for (int i = 1; i < n; i++)
        ck_assert_int_eq(ask(pids[i]), 2);
    uproot(root);
}
END_TEST

/* Those beside the root, in its own group, have nothing to do with it. */
START_TEST(test_sibling) {
    static const Node nodes[] = {{-1}, {0}, {1}};
    pid_t pids[NODES_MAX], root = plant(nodes, ELEMENTSOF(nodes), pids);
    pid_t sibling = fork();

    if (sibling == 0)
        live(7);
    ck_assert_int_eq(hear().pid, sibling);
    ck_assert_int_eq(getpgid(sibling), getpgid(root));
    ck_assert_int_eq(proc_tree_signal(root, COUNT_ME), 2);
    ck_assert_int_eq(ask(sibling), 0);
    ck_assert_int_eq(ask(pids[1]), 1);
    kill(sibling, SIGKILL);
    waitpid(sibling, NULL, 0);
    uproot(root);
}
END_TEST

START_TEST(test_zombies_count) {
    siginfo_t info;
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    ck_assert_int_eq(proc_tree_count(getpid()), 1);
    ck_assert_int_eq(proc_tree_signal(getpid(), COUNT_ME), 1);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    ck_assert_int_eq(proc_tree_count(getpid()), 0);
    ck_assert_int_eq(proc_tree_count(pid), 0); /* there is no such process */
}
END_TEST

/* A process that is never where it was: it forks, the parent goes, the child does the same. */
static void run_away(void) {
    uint64_t end = clock_usec(CLOCK_MONOTONIC) + 10 * USEC_PER_SEC;

    setpgid(0, 0);
    say(1, 0);
    while (clock_usec(CLOCK_MONOTONIC) < end)
        if (fork() > 0)
            _exit(0);
    _exit(0);
}

START_TEST(test_run_away) {
    uint64_t deadline = clock_usec(CLOCK_MONOTONIC) + 8 * USEC_PER_SEC;
    int rounds = 0;

    ck_assert_int_eq(pipe(words), 0);
    block_signals();
    pid_t root = fork();
    if (root == 0) {
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        signal(SIGCHLD, SIG_IGN); /* reaped by the kernel */
        if (fork() == 0)
            run_away();
        live(0);
    }
    (void)hear();
    (void)hear();
    /* What is seen of the group is all that is needed to hit whatever is in it by then. */
    while (proc_tree_signal(root, SIGKILL) > 0) {
        rounds++;
        ck_assert_msg(clock_usec(CLOCK_MONOTONIC) < deadline, "it got away %d times", rounds);
    }
    uproot(root);
}
END_TEST

/* ---- strays ---- */

static void end_strays(const pid_t *keep, size_t n_keep) {
    uint64_t deadline = clock_usec(CLOCK_MONOTONIC) + 20 * USEC_PER_SEC;
    int r;

    while ((r = proc_tree_end_strays(keep, n_keep)) != 0) {
        ck_assert_int_ge(r, 0);
        ck_assert_msg(clock_usec(CLOCK_MONOTONIC) < deadline, "%d strays are left", r);
    }
}

START_TEST(test_strays) {
    static const Node kept[] = {{-1}, {0}, {0, SESSION}, {2}};
    static const Node strays[] = {{-1}, {0, SESSION}, {1}, {0, ORPHAN}};
    pid_t kept_pids[NODES_MAX], pids[NODES_MAX];

    /* As the shim does it: what loses its parent becomes this process's child. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t keep = plant(kept, ELEMENTSOF(kept), kept_pids);
    (void)plant(strays, ELEMENTSOF(strays), pids);
    end_strays(&keep, 1);
    for (size_t i = 0; i < ELEMENTSOF(strays); i++)
        ck_assert(kill(pids[i], 0) < 0 && errno == ESRCH);
    for (size_t i = 0; i < ELEMENTSOF(kept); i++)
        ck_assert_int_eq(kill(kept_pids[i], 0), 0);
    ck_assert_int_eq(proc_tree_count(getpid()), ELEMENTSOF(kept));
    end_strays(NULL, 0);
    ck_assert_int_eq(proc_tree_count(getpid()), 0);
}
END_TEST

START_TEST(test_no_strays) {
    pid_t no_child_of_ours = 1;

    ck_assert_int_eq(proc_tree_end_strays(NULL, 0), 0);
    ck_assert_int_eq(proc_tree_end_strays(&no_child_of_ours, 1), 0);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("proc-tree");
    TCase *t = tcase_create("proc-tree");

    tcase_set_timeout(t, 40);
    tcase_add_loop_test(t, test_signal, 0, ELEMENTSOF(trees));
    tcase_add_test(t, test_sibling);
    tcase_add_test(t, test_zombies_count);
    tcase_add_test(t, test_run_away);
    tcase_add_test(t, test_strays);
    tcase_add_test(t, test_no_strays);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    if (access("/proc/thread-self/children", R_OK) < 0) {
        puts("SKIP: /proc has no lists of children (CONFIG_PROC_CHILDREN)");
        return 77;
    }
    return unit_run(suite_new());
}
