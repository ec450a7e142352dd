#include "daemon/exec/shim-spec.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "common/fd-io.h"
#include "common/shim-protocol.h"
#include "daemon/exec/own-environ.h"
#include "daemon/exec/result-file.h"

static bool same_variable(const char *entry, const char *name, size_t n) {
    return strncmp(entry, name, n) == 0 && entry[n] == '=';
}

static bool is_overridden(const char *entry, char *const *env) {
    size_t n = strcspn(entry, "=");

    for (size_t i = 0; env[i]; i++)
        if (same_variable(env[i], entry, n))
            return true;
    return false;
}

static void put(FILE *f, const char *key, const char *value) {
    fprintf(f, "%s=%s", key, value);
    fputc('\0', f);
}

static void put_number(FILE *f, const char *key, uint64_t value) {
    fprintf(f, "%s=%" PRIu64, key, value);
    fputc('\0', f);
}

/* Without the key there is none. */
static void put_limit(FILE *f, const char *key, uint64_t value) {
    if (value > 0)
        put_number(f, key, value);
}

static void put_environment(FILE *f, const ShimSpec *s) {
    char path[4096];

    if (!s->clear_env)
        for (char **e = environ; *e; e++)
            if (strchr(*e, '=') && !environ_is_own(*e) && !is_overridden(*e, s->env))
                put(f, SHIM_SPEC_ENV, *e);
    for (size_t i = 0; s->env[i]; i++)
        if (strncmp(s->env[i], "LONGRUN_", strlen("LONGRUN_")) != 0)
            put(f, SHIM_SPEC_ENV, s->env[i]);

    fprintf(f, "%s=LONGRUN_TASK_ID=%" PRIu64 "%c", SHIM_SPEC_ENV, s->id, '\0');
    fprintf(f, "%s=LONGRUN_ATTEMPT=%u%c", SHIM_SPEC_ENV, s->attempt, '\0');
    fprintf(f, "%s=LONGRUN_RESULT_MAX=%" PRIu64 "%c", SHIM_SPEC_ENV, s->result_max, '\0');
    if (result_file_path(path, sizeof(path), s->runtime_dir) >= 0)
        fprintf(f, "%s=LONGRUN_RESULT=%s%c", SHIM_SPEC_ENV, path, '\0');
}

int shim_spec_to_memfd(const ShimSpec *s) {
    _cleanup_free_ char *data = NULL;
    size_t size;
    FILE *f = open_memstream(&data, &size);

    if (!f)
        return -ENOMEM;
    put_number(f, SHIM_SPEC_ID, s->id);
    put(f, SHIM_SPEC_RUNTIME_DIR, s->runtime_dir);
    for (char *const *a = s->argv; *a; a++)
        put(f, SHIM_SPEC_ARGV, *a);
    put_environment(f, s);
    put(f, SHIM_SPEC_CWD, s->cwd);
    put_number(f, SHIM_SPEC_UMASK, s->umask);
    put_limit(f, SHIM_SPEC_NOFILE, s->nofile);
    if (s->nice != 0)
        fprintf(f, "%s=%d%c", SHIM_SPEC_NICE, s->nice, '\0');
    put_number(f, SHIM_SPEC_STOP_TIMEOUT, s->stop_timeout_usec);
    put_limit(f, SHIM_SPEC_TIMEOUT, s->timeout_usec);
    put_limit(f, SHIM_SPEC_IDLE_TIMEOUT, s->idle_timeout_usec);
    put_limit(f, SHIM_SPEC_MEMORY_MAX, s->memory_max);
    put_limit(f, SHIM_SPEC_PIDS_MAX, s->pids_max);
    put_limit(f, SHIM_SPEC_CPU_WEIGHT, s->cpu_weight);
    put(f, SHIM_SPEC_LOG_DIR, s->log_dir);
    put_number(f, SHIM_SPEC_LOG_MAX, s->log_max);
    if (s->journal) {
        put(f, SHIM_SPEC_JOURNAL, s->journal);
        put(f, SHIM_SPEC_LABEL, s->label);
        put(f, SHIM_SPEC_IDENTIFIER, s->identifier);
    }
    if (s->terminal)
        put(f, SHIM_SPEC_TERMINAL, s->terminal);
    if (s->stdin_open)
        put(f, SHIM_SPEC_STDIN_OPEN, "1");
    if (!isempty(s->stdin_file))
        put(f, SHIM_SPEC_STDIN_FILE, s->stdin_file);
    if (s->stdin_data) {
        fputs(SHIM_SPEC_STDIN "=", f);
        fwrite(s->stdin_data, 1, s->stdin_size, f);
        fputc('\0', f);
    }

    bool failed = ferror(f);
    if (fclose(f) != 0 || failed)
        return -ENOMEM;
    return memfd_new("longrun-job", data, size);
}
