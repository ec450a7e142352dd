#include "daemon/calendar.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/queue.h>
#include <sys/wait.h>
#include <time.h>

#include "common/text.h"
#include "daemon/calendar-known.h"

#define PROGRAM "systemd-analyze"
#define OUTPUT_MAX (16 * KIB)
#define WORDS_MAX 512

struct CalendarQuestion {
    struct CalendarJob *job; /* not owned */
    CalendarFunc func;
    void *userdata; /* not owned */
    TAILQ_ENTRY(CalendarQuestion) link;
};

/* One run of the program, for all who ask for the same. */
typedef struct CalendarJob {
    Calendar *calendar; /* not owned */
    char *expression;
    uint64_t base; /* seconds */
    bool is_stale; /* the time zone was another one then */
    TAILQ_HEAD(, CalendarQuestion) questions;
    pid_t pid;         /* 0 = not begun */
    int output, error; /* pipes */
    sd_event_source *child, *timer;
    bool timed_out, ending;
    TAILQ_ENTRY(CalendarJob) link;
} CalendarJob;

struct Calendar {
    sd_event *event;
    sd_event_source *next; /* enabled: jobs may be begun */
    TAILQ_HEAD(, CalendarJob) waiting, running;
    unsigned n_running;
    KnownCalendars known;
    uint64_t timeout_usec;
};

/* ---- what it prints ---- */

/* "    Next elapse: Sat 2026-03-28 22:30:00 UTC": what is behind the key, on the line that s begins
 * with; NULL when it has another key. */
static const char *value_of(const char *line, const char *key) {
    line += strspn(line, " ");
    if (strncmp(line, key, strlen(key)) != 0)
        return NULL;
    line += strlen(key);
    return line + strspn(line, " ");
}

static const char *next_line(const char *line) {
    const char *end = strchr(line, '\n');

    return end ? end + 1 : NULL;
}

static int parse_time(const char *value, uint64_t *ret) {
    struct tm tm = {};
    int n = 0;

    if (sscanf(value, "%*3[A-Za-z] %4d-%2d-%2d %2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
               &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &n) != 6 ||
        n == 0)
        return -EBADMSG;
    tm.tm_year -= 1900;
    tm.tm_mon--;
    time_t t = timegm(&tm);
    if (t <= 0)
        return -EBADMSG;
    *ret = (uint64_t)t * USEC_PER_SEC;
    return 0;
}

/* Where the local zone is UTC, by whatever name, there is no second line. */
int calendar_parse(const char *text, uint64_t *ret) {
    const char *elapse = NULL, *utc, *line;

    for (line = text; line && !elapse; line = next_line(line))
        elapse = value_of(line, "Next elapse:");
    if (!elapse)
        return -EBADMSG;
    if (strncmp(elapse, "never", strlen("never")) == 0) {
        *ret = USEC_INFINITY;
        return 0;
    }
    utc = line ? value_of(line, "(in UTC):") : NULL;
    return parse_time(utc ?: elapse, ret);
}

/* ---- the end of a job ---- */

static void job_free(CalendarJob *j) {
    Calendar *c = j->calendar;

    if (j->pid > 0) {
        TAILQ_REMOVE(&c->running, j, link);
        c->n_running--;
        /* It has a child of its own for an expression with a time zone. */
        if (j->child)
            (void)kill(-j->pid, SIGKILL);
    } else
        TAILQ_REMOVE(&c->waiting, j, link);
    /* Ended and reaped, if it has not been. */
    sd_event_source_disable_unref(j->child);
    sd_event_source_disable_unref(j->timer);
    close_fd(j->output);
    close_fd(j->error);
    free(j->expression);
    free(j);
}

/* Whoever is called may ask again, or free questions of others. */
static void answer(CalendarJob *j, int r, uint64_t next, const char *why) {
    Calendar *c = j->calendar;
    CalendarQuestion *q;

    j->ending = true;
    while ((q = TAILQ_FIRST(&j->questions))) {
        CalendarFunc func = q->func;
        void *userdata = q->userdata;
        calendar_question_free(q);
        func(userdata, r, next, r < 0 ? why : NULL);
    }
    job_free(j);
    (void)sd_event_source_set_enabled(c->next, SD_EVENT_ONESHOT);
}

static void answer_no(CalendarJob *j, int r, const char *format, ...) _printf_(3, 4);
static void answer_no(CalendarJob *j, int r, const char *format, ...) {
    char why[WORDS_MAX];
    va_list ap;

    va_start(ap, format);
    vsnprintf(why, sizeof(why), format, ap);
    va_end(ap);
    answer(j, r, 0, why);
}

/* What is in the pipe; all that fits there and more than is ever needed. The buffer ends with a
 * NUL. */
static void read_pipe(int fd, char *buf, size_t size) {
    size_t length = 0;
    ssize_t n;

    while (length < size - 1 && (n = read(fd, buf + length, size - 1 - length)) > 0)
        length += (size_t)n;
    buf[length] = '\0';
}

/* The first line, in systemd's own words. To be freed. */
static char *read_complaint(const CalendarJob *j) {
    char buf[OUTPUT_MAX];

    read_pipe(j->error, buf, sizeof(buf));
    buf[strcspn(buf, "\n")] = '\0';
    return text_clean(buf, strlen(buf), WORDS_MAX / 2);
}

static void answer_refused(CalendarJob *j) {
    _cleanup_free_ char *complaint = read_complaint(j);

    answer_no(j, -EINVAL,
              "%s. What it takes is in systemd.time(7) under \"calendar events\"; \"" PROGRAM
              " calendar\" tries one",
              isempty(complaint) ? PROGRAM " does not know this calendar" : complaint);
}

static void answer_read(CalendarJob *j) {
    char buf[OUTPUT_MAX];
    uint64_t next = 0, base = j->base * USEC_PER_SEC;

    read_pipe(j->output, buf, sizeof(buf));
    int r = calendar_parse(buf, &next);
    if (r < 0 || next < base)
        answer_no(j, -EBADMSG, "the answer of " PROGRAM " is not understood");
    else {
        next = MAX(next, base + USEC_PER_SEC); /* parts of a second are not printed */
        if (!j->is_stale)
            known_calendars_add(&j->calendar->known, TAKE_PTR(j->expression), j->base, next);
        answer(j, 0, next, NULL);
    }
}

static int on_exit_of_child(sd_event_source *s, const siginfo_t *si, void *userdata) {
    CalendarJob *j = userdata;

    j->child = sd_event_source_disable_unref(j->child);
    if (si->si_code == CLD_EXITED && si->si_status == EXIT_SUCCESS)
        answer_read(j);
    else if (si->si_code == CLD_EXITED)
        answer_refused(j);
    else if (j->timed_out)
        answer_no(j, -ETIMEDOUT, PROGRAM " has not answered in time");
    else
        answer_no(j, -EIO, PROGRAM " was ended by signal %d", si->si_status);
    return 0;
}

static int on_timeout(sd_event_source *s, uint64_t usec, void *userdata) {
    CalendarJob *j = userdata;

    j->timed_out = true;
    (void)kill(-j->pid, SIGKILL);
    return 0;
}

/* ---- its begin ---- */

/* Nothing of the daemon's that would change what it prints, but for the time zone. */
static void make_env(char **env, char *zone, char *zone_dir, size_t size) {
    const char *tz = getenv("TZ"), *tzdir = getenv("TZDIR");
    size_t n = 0;

    env[n++] = (char *)"LC_ALL=C";
    env[n++] = (char *)"SYSTEMD_COLORS=0";
    env[n++] = (char *)"SYSTEMD_LOG_TARGET=console";
    if (tz && (size_t)snprintf(zone, size, "TZ=%s", tz) < size)
        env[n++] = zone;
    if (tzdir && (size_t)snprintf(zone_dir, size, "TZDIR=%s", tzdir) < size)
        env[n++] = zone_dir;
    env[n] = NULL;
}

/* Its output goes into pipes that are not read before it ends: so they are its limit. A group of
 * its own, with the child that it may have. */
static int spawn(CalendarJob *j, int output, int error) {
    char base[48], zone[4096], zone_dir[4096], *env[6];
    char *argv[] = {(char *)PROGRAM, (char *)"calendar", base, (char *)"--", j->expression, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t all, none;

    snprintf(base, sizeof(base), "--base-time=@%" PRIu64, j->base);
    make_env(env, zone, zone_dir, sizeof(zone));
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, error, STDERR_FILENO);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
                                        POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawnattr_setsigmask(&attr, &none);
    int r = -posix_spawnp(&j->pid, PROGRAM, &actions, &attr, argv, env);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    return r;
}

/* We never wait for what is in it; who writes does when it is full. */
static int new_pipe(int *ret_read, int *ret_write) {
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) < 0)
        return -errno;
    *ret_read = fds[0];
    *ret_write = fds[1];
    return fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

static int spawn_with_pipes(CalendarJob *j) {
    _cleanup_close_ int output = -EBADF, error = -EBADF;
    int r = new_pipe(&j->output, &output);

    if (r >= 0)
        r = new_pipe(&j->error, &error);
    return r < 0 ? r : spawn(j, output, error);
}

static int watch(CalendarJob *j) {
    sd_event *event = j->calendar->event;
    int r = sd_event_add_child(event, &j->child, j->pid, WEXITED, on_exit_of_child, j);

    if (r < 0) {
        (void)kill(-j->pid, SIGKILL);
        (void)waitpid(j->pid, NULL, 0);
        return r;
    }
    (void)sd_event_source_set_child_process_own(j->child, true);
    return sd_event_add_time_relative(event, &j->timer, CLOCK_MONOTONIC, j->calendar->timeout_usec,
                                      0, on_timeout, j);
}

static void begin(CalendarJob *j) {
    Calendar *c = j->calendar;
    int r = spawn_with_pipes(j);

    if (r < 0)
        j->pid = 0;
    else {
        TAILQ_REMOVE(&c->waiting, j, link);
        TAILQ_INSERT_TAIL(&c->running, j, link);
        c->n_running++;
        r = watch(j);
    }
    if (r == -ENOENT)
        answer_no(j, r,
                  "calendars take " PROGRAM ", which is not here: install the package systemd");
    else if (r < 0)
        answer_no(j, r, PROGRAM " cannot be run: %s", strerror(-r));
}

static void begin_or_answer(CalendarJob *j) {
    uint64_t next;

    if (calendar_is_known(j->calendar, j->expression, j->base * USEC_PER_SEC, &next))
        answer(j, 0, next, NULL);
    else
        begin(j);
}

static int on_next(sd_event_source *s, void *userdata) {
    Calendar *c = userdata;
    CalendarJob *j;

    if (c->n_running < CALENDAR_PARALLEL && (j = TAILQ_FIRST(&c->waiting)))
        begin_or_answer(j);
    /* One a turn of the loop: each takes it a moment. */
    if (c->n_running < CALENDAR_PARALLEL && !TAILQ_EMPTY(&c->waiting))
        return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
    return 0;
}

/* ---- questions ---- */

static bool answers(const CalendarJob *j, const char *expression, uint64_t base) {
    return !j->ending && !j->is_stale && j->base == base && streq(j->expression, expression);
}

static CalendarJob *find_job(const Calendar *c, const char *expression, uint64_t base) {
    CalendarJob *j;

    TAILQ_FOREACH (j, &c->waiting, link)
        if (answers(j, expression, base))
            return j;
    TAILQ_FOREACH (j, &c->running, link)
        if (answers(j, expression, base))
            return j;
    return NULL;
}

static CalendarJob *new_job(Calendar *c, const char *expression, uint64_t base) {
    CalendarJob *j = malloc(sizeof(CalendarJob));

    if (!j)
        return NULL;
    *j = (CalendarJob){
        .calendar = c,
        .expression = strdup(expression),
        .base = base,
        .output = -EBADF,
        .error = -EBADF,
    };
    if (!j->expression) {
        free(j);
        return NULL;
    }
    TAILQ_INIT(&j->questions);
    TAILQ_INSERT_TAIL(&c->waiting, j, link);
    return j;
}

int calendar_ask(CalendarQuestion **ret, Calendar *c, const char *expression, uint64_t after,
                 CalendarFunc func, void *userdata) {
    uint64_t base = after / USEC_PER_SEC;
    CalendarQuestion *q = malloc(sizeof(CalendarQuestion));
    CalendarJob *j = q ? find_job(c, expression, base) ?: new_job(c, expression, base) : NULL;

    if (!j) {
        free(q);
        return -ENOMEM;
    }
    *q = (CalendarQuestion){.job = j, .func = func, .userdata = userdata};
    TAILQ_INSERT_TAIL(&j->questions, q, link);
    (void)sd_event_source_set_enabled(c->next, SD_EVENT_ONESHOT);
    *ret = q;
    return 0;
}

CalendarQuestion *calendar_question_free(CalendarQuestion *q) {
    CalendarJob *j;

    if (!q)
        return NULL;
    j = q->job;
    TAILQ_REMOVE(&j->questions, q, link);
    free(q);
    if (TAILQ_EMPTY(&j->questions) && !j->ending) {
        (void)sd_event_source_set_enabled(j->calendar->next, SD_EVENT_ONESHOT);
        job_free(j);
    }
    return NULL;
}

bool calendar_is_known(const Calendar *c, const char *expression, uint64_t after, uint64_t *ret) {
    return known_calendars_find(&c->known, expression, after / USEC_PER_SEC, ret);
}

void calendar_forget(Calendar *c) {
    CalendarJob *j;

    known_calendars_forget(&c->known);
    TAILQ_FOREACH (j, &c->running, link)
        j->is_stale = true;
}

/* ---- life ---- */

int calendar_new(Calendar **ret, sd_event *event) {
    Calendar *c = calloc(1, sizeof(Calendar));
    int r;

    if (!c)
        return -ENOMEM;
    c->event = event;
    c->timeout_usec = CALENDAR_TIMEOUT_USEC;
    TAILQ_INIT(&c->waiting);
    TAILQ_INIT(&c->running);
    known_calendars_init(&c->known);
    r = sd_event_add_defer(event, &c->next, on_next, c);
    if (r >= 0)
        r = sd_event_source_set_enabled(c->next, SD_EVENT_OFF);
    if (r < 0) {
        calendar_free(c);
        return r;
    }
    *ret = c;
    return 0;
}

static void drop_job(CalendarJob *j) {
    while (!TAILQ_EMPTY(&j->questions)) {
        CalendarQuestion *q = TAILQ_FIRST(&j->questions);
        TAILQ_REMOVE(&j->questions, q, link);
        free(q);
    }
    job_free(j);
}

Calendar *calendar_free(Calendar *c) {
    if (!c)
        return NULL;
    while (!TAILQ_EMPTY(&c->running))
        drop_job(TAILQ_FIRST(&c->running));
    while (!TAILQ_EMPTY(&c->waiting))
        drop_job(TAILQ_FIRST(&c->waiting));
    known_calendars_forget(&c->known);
    sd_event_source_disable_unref(c->next);
    free(c);
    return NULL;
}

void calendar_set_timeout(Calendar *c, uint64_t usec) {
    c->timeout_usec = usec;
}

unsigned calendar_running(const Calendar *c) {
    return c->n_running;
}
