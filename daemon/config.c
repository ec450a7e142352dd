#include "daemon/config.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/parse.h"
#include "daemon/core/task-spec.h"

static unsigned cpus(void) {
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (unsigned)n : 1;
}

static const Config config_defaults = {
    .max_queued = 100000,
    .history_max = 10000,
    .stop_timeout_usec = 10 * USEC_PER_SEC,
    .log_max = 8 * GIB,
    .result_max = 1 * MIB,
};

/* All of the values are numbers once they are read. */
typedef int (*ParseFunc)(const char *value, uint64_t *ret);

static const struct {
    const char *name, *wants;
    ParseFunc parse;
    uint64_t max;
    size_t offset, size;
} keys[] = {
#define KEY(name, field, wants, parse, max)                                                        \
    { name, wants, parse, max, offsetof(Config, field), sizeof(((Config *)NULL)->field) }
    KEY("MaxParallel", max_parallel, "a number of tasks, 0 for no limit", parse_u64, UINT32_MAX),
    KEY("MaxQueued", max_queued, "a number of tasks", parse_u64, UINT32_MAX),
    KEY("HistoryMax", history_max, "a number of ended tasks", parse_u64, UINT32_MAX),
    KEY("StopTimeoutSec", stop_timeout_usec, "a time span up to a week, as 10s or 2min", parse_span,
        TASK_STOP_TIMEOUT_LIMIT),
    KEY("LogMax", log_max, "a size up to 1024T, as 500M or 8G", parse_size, TASK_LOG_MAX_LIMIT),
    KEY("ResultMax", result_max, "a size up to 64M, as 1M", parse_size, TASK_RESULT_MAX_LIMIT),
#undef KEY
};

static int read_value(const char *value, size_t key, Config *config) {
    char *field = (char *)config + keys[key].offset;
    uint64_t number;
    int r = keys[key].parse(value, &number);

    if (r < 0)
        return r;
    if (number > keys[key].max)
        return -ERANGE;
    if (keys[key].size == sizeof(uint64_t))
        *(uint64_t *)field = number;
    else
        *(unsigned *)field = (unsigned)number;
    return 0;
}

typedef struct Reader {
    const char *path;
    Config config;
    Error *error;
} Reader;

/* inih wants 1 for a line that is all right. */
static int on_line(void *userdata, const char *section, const char *name, const char *value) {
    Reader *reader = userdata;

    for (size_t i = 0; streq(section, "Manager") && i < ELEMENTSOF(keys); i++) {
        if (!streq(name, keys[i].name))
            continue;
        if (read_value(value, i, &reader->config) >= 0)
            return 1;
        error_set(reader->error, ERROR_INVALID_OPTION, "%s: %s=%s is not valid, it wants %s",
                  reader->path, name, value, keys[i].wants);
        return 0;
    }
    log_warning("%s: unknown key %s= in section [%s], ignoring", reader->path, name, section);
    return 1;
}

int config_load(const char *path, bool required, Config *ret, Error *error) {
    Reader reader = {.path = path, .config = config_defaults, .error = error};

    reader.config.max_parallel = cpus();
    if (access(path, R_OK) < 0) {
        if (errno == ENOENT && !required) {
            *ret = reader.config;
            return 0;
        }
        return error_set(error, ERROR_INVALID_OPTION, "Cannot read the configuration %s: %s", path,
                         strerror(errno));
    }
    int line = ini_parse(path, on_line, &reader);
    if (line > 0 && error->code == ERROR_NONE)
        return error_set(error, ERROR_INVALID_OPTION,
                         "%s: line %d is neither [Section] nor Key=Value", path, line);
    if (line != 0)
        return error_set(error, ERROR_INVALID_OPTION, "Cannot read the configuration %s", path);
    *ret = reader.config;
    return 0;
}
