#include "daemon/config.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/parse.h"

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

typedef int (*ParseFunc)(const char *value, void *field);

static int parse_count(const char *value, void *field) {
    return parse_u32(value, field);
}

static int parse_time(const char *value, void *field) {
    uint64_t usec;
    int r = parse_span(value, &usec);

    if (r < 0)
        return r;
    if (usec > 7 * USEC_PER_DAY)
        return -ERANGE;
    *(uint64_t *)field = usec;
    return 0;
}

static int parse_bytes(const char *value, void *field) {
    return parse_size(value, field);
}

static const struct {
    const char *name, *wants;
    ParseFunc parse;
    size_t offset;
} keys[] = {
    {"MaxParallel", "a number of tasks, 0 for no limit", parse_count,
     offsetof(Config, max_parallel)},
    {"MaxQueued", "a number of tasks", parse_count, offsetof(Config, max_queued)},
    {"HistoryMax", "a number of ended tasks", parse_count, offsetof(Config, history_max)},
    {"StopTimeoutSec", "a time span up to a week, as 10s or 2min", parse_time,
     offsetof(Config, stop_timeout_usec)},
    {"LogMax", "a size, as 500M or 8G", parse_bytes, offsetof(Config, log_max)},
    {"ResultMax", "a size, as 1M", parse_bytes, offsetof(Config, result_max)},
};

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
        if (keys[i].parse(value, (char *)&reader->config + keys[i].offset) >= 0)
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
