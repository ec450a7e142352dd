#include "daemon/shim/shim-job.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/fd-io.h"
#include "common/parse.h"
#include "common/shim-protocol.h"

#define NICE_MAX 40 /* from one end of the range to the other */

/* The value when the string is this key's, else NULL. */
static char *value_of(char *string, const char *key) {
    size_t len = strlen(key);

    return strncmp(string, key, len) == 0 && string[len] == '=' ? string + len + 1 : NULL;
}

static int set_u64(const char *value, uint64_t *field) {
    return parse_u64(value, field) < 0 ? -EINVAL : 0;
}

static int set_umask(ShimJob *job, const char *value) {
    uint64_t mask;

    if (parse_u64(value, &mask) < 0 || mask > 0777)
        return -EINVAL;
    job->umask = (mode_t)mask;
    job->has_umask = true;
    return 0;
}

static int set_nice(ShimJob *job, const char *value) {
    bool negative = value[0] == '-';
    uint64_t n;

    if (parse_u64(value + negative, &n) < 0 || n > NICE_MAX)
        return -EINVAL;
    job->nice = negative ? -(int)n : (int)n;
    return 0;
}

static int set_terminal(ShimJob *job, const char *value) {
    int r = terminal_size_parse(value, &job->terminal_size);

    if (r < 0)
        return -EINVAL;
    job->has_terminal = true;
    return 0;
}

static int set_key(ShimJob *job, char *string) {
    const struct {
        const char *key;
        uint64_t *field;
    } numbers[] = {
        {SHIM_SPEC_ID, &job->id},
        {SHIM_SPEC_NOFILE, &job->nofile},
        {SHIM_SPEC_STOP_TIMEOUT, &job->stop_timeout_usec},
        {SHIM_SPEC_TIMEOUT, &job->limits.timeout_usec},
        {SHIM_SPEC_IDLE_TIMEOUT, &job->limits.idle_timeout_usec},
        {SHIM_SPEC_MEMORY_MAX, &job->limits.memory_max},
        {SHIM_SPEC_PIDS_MAX, &job->limits.pids_max},
        {SHIM_SPEC_CPU_WEIGHT, &job->cpu_weight},
        {SHIM_SPEC_LOG_MAX, &job->log_max},
    };
    const struct {
        const char *key, **field;
    } texts[] = {
        {SHIM_SPEC_RUNTIME_DIR, &job->runtime_dir}, {SHIM_SPEC_CWD, &job->cwd},
        {SHIM_SPEC_LOG_DIR, &job->log_dir},         {SHIM_SPEC_STDIN_FILE, &job->stdin_file},
        {SHIM_SPEC_JOURNAL, &job->journal},         {SHIM_SPEC_LABEL, &job->label},
        {SHIM_SPEC_IDENTIFIER, &job->identifier},
    };
    char *value;

    for (size_t i = 0; i < ELEMENTSOF(numbers); i++)
        if ((value = value_of(string, numbers[i].key)))
            return set_u64(value, numbers[i].field);
    for (size_t i = 0; i < ELEMENTSOF(texts); i++)
        if ((value = value_of(string, texts[i].key))) {
            *texts[i].field = value;
            return 0;
        }
    if ((value = value_of(string, SHIM_SPEC_STDIN_OPEN))) {
        job->stdin_open = streq(value, "1");
        return 0;
    }
    if ((value = value_of(string, SHIM_SPEC_TERMINAL)))
        return set_terminal(job, value);
    if ((value = value_of(string, SHIM_SPEC_UMASK)))
        return set_umask(job, value);
    if ((value = value_of(string, SHIM_SPEC_NICE)))
        return set_nice(job, value);
    return -EINVAL;
}

/* Makes room for as many strings as there are of each, and two more of env, for NOTIFY_SOCKET and
 * TERM. */
static int allocate_vectors(ShimJob *job, char *end) {
    size_t argc = 0, envc = 0;

    for (char *p = job->buffer; p < end; p += strlen(p) + 1) {
        if (value_of(p, SHIM_SPEC_STDIN))
            break;
        if (value_of(p, SHIM_SPEC_ARGV))
            argc++;
        else if (value_of(p, SHIM_SPEC_ENV))
            envc++;
    }
    if (argc == 0)
        return -EINVAL;
    job->argv = calloc(argc + 1, sizeof(char *));
    job->env = calloc(envc + 3, sizeof(char *));
    return job->argv && job->env ? 0 : -ENOMEM;
}

static int parse(ShimJob *job, char *end) {
    size_t argc = 0;

    int r = allocate_vectors(job, end);
    for (char *p = job->buffer, *value; r >= 0 && p < end; p += strlen(p) + 1) {
        if ((value = value_of(p, SHIM_SPEC_ARGV))) {
            job->argv[argc++] = value;
        } else if ((value = value_of(p, SHIM_SPEC_ENV))) {
            job->env[job->env_count++] = value;
        } else if ((value = value_of(p, SHIM_SPEC_STDIN))) {
            job->stdin_data = value;
            job->stdin_size = (size_t)(end - 1 - value);
            break;
        } else {
            r = set_key(job, p);
        }
    }
    if (r < 0)
        return r;
    return job->id > 0 && job->runtime_dir && job->log_dir ? 0 : -EINVAL;
}

static void normalize_limits(ShimLimits *l) {
    uint64_t *const limits[] = {&l->timeout_usec, &l->idle_timeout_usec, &l->memory_max,
                                &l->pids_max};

    for (size_t i = 0; i < ELEMENTSOF(limits); i++)
        if (*limits[i] == 0)
            *limits[i] = UINT64_MAX;
}

int shim_job_read(int fd, ShimJob *ret) {
    _cleanup_(shim_job_done)
        ShimJob job = {.stop_timeout_usec = USEC_INFINITY, .log_max = UINT64_MAX};
    struct stat st;
    size_t size;

    /* Of a pipe the end may never come, and nothing but SIGKILL would end the wait for it. */
    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    int r = fd_read_all(fd, SHIM_SPEC_MAX, &job.buffer, &size);
    if (r < 0)
        return r;
    if (size == 0 || job.buffer[size - 1] != '\0')
        return -EINVAL;
    r = parse(&job, job.buffer + size);
    if (r < 0)
        return r;
    normalize_limits(&job.limits);
    *ret = job;
    job = (ShimJob){};
    return 0;
}

void shim_job_done(ShimJob *job) {
    free(job->notify_env);
    free(job->argv);
    free(job->env);
    free(job->buffer);
    *job = (ShimJob){};
}

int shim_job_set_notify_env(ShimJob *job, const char *path) {
    size_t kept = 0;
    char *string;

    if (asprintf(&string, "NOTIFY_SOCKET=%s", path) < 0)
        return -ENOMEM;
    for (size_t i = 0; i < job->env_count; i++)
        if (!value_of(job->env[i], "NOTIFY_SOCKET"))
            job->env[kept++] = job->env[i];
    job->env[kept++] = string;
    job->env[kept] = NULL;
    job->env_count = kept;
    free(job->notify_env);
    job->notify_env = string;
    return 0;
}

void shim_job_set_default_term(ShimJob *job, const char *string) {
    const char *value;

    for (size_t i = 0; i < job->env_count; i++)
        if ((value = value_of(job->env[i], "TERM"))) {
            if (!*value)
                job->env[i] = (char *)string;
            return;
        }
    job->env[job->env_count++] = (char *)string;
    job->env[job->env_count] = NULL;
}
