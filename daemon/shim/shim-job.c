#include "daemon/shim/shim-job.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/fd-io.h"
#include "common/parse.h"
#include "common/shim-protocol.h"

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

static int set_key(ShimJob *job, char *string) {
    char *value;

    if ((value = value_of(string, SHIM_SPEC_ID)))
        return set_u64(value, &job->id);
    if ((value = value_of(string, SHIM_SPEC_UMASK)))
        return set_umask(job, value);
    if ((value = value_of(string, SHIM_SPEC_NOFILE)))
        return set_u64(value, &job->nofile);
    if ((value = value_of(string, SHIM_SPEC_STOP_TIMEOUT)))
        return set_u64(value, &job->stop_timeout_usec);
    if ((value = value_of(string, SHIM_SPEC_LOG_MAX)))
        return set_u64(value, &job->log_max);

    const char **field;
    if ((value = value_of(string, SHIM_SPEC_CWD)))
        field = &job->cwd;
    else if ((value = value_of(string, SHIM_SPEC_LOG_DIR)))
        field = &job->log_dir;
    else if ((value = value_of(string, SHIM_SPEC_NOTIFY_SOCKET)))
        field = &job->notify_socket;
    else
        return -EINVAL;
    *field = value;
    return 0;
}

/* Makes room for as many strings as there are of each, and one more of env for NOTIFY_SOCKET. */
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
    job->env = calloc(envc + 2, sizeof(char *));
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
    return job->id > 0 && job->log_dir ? 0 : -EINVAL;
}

int shim_job_read(int fd, ShimJob *ret) {
    _cleanup_(shim_job_done)
        ShimJob job = {.stop_timeout_usec = USEC_INFINITY, .log_max = UINT64_MAX};
    size_t size;

    int r = fd_read_all(fd, SHIM_SPEC_MAX, &job.buffer, &size);
    if (r < 0)
        return r;
    if (size == 0 || job.buffer[size - 1] != '\0')
        return -EINVAL;
    r = parse(&job, job.buffer + size);
    if (r < 0)
        return r;
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
