#include "daemon/config.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fd-io.h"
#include "common/log.h"
#include "common/parse.h"
#include "daemon/core/group.h"
#include "daemon/core/task-spec.h"

#define FILE_MAX (1 * MIB)
#define CONFIG_AGE_LIMIT (36500 * USEC_PER_DAY)

static unsigned cpus(void) {
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (unsigned)n : 1;
}

static const Config config_defaults = {
    .max_queued = 100000,
    .history_max = 10000,
    .stop_timeout_usec = 10 * USEC_PER_SEC,
    .log_max = 1 * GIB,
    .logs_max = 10 * GIB,
    .result_max = 1 * MIB,
    .min_free_disk = 64 * MIB,
};

/* All of the values are numbers once they are read. */
typedef int (*ParseFunc)(const char *value, uint64_t *ret);

static int parse_switch(const char *value, uint64_t *ret) {
    bool on;
    int r = parse_bool(value, &on);

    if (r >= 0)
        *ret = on;
    return r;
}

/* For a limit on an age, of which both 0 and "infinity" mean that there is none. */
static int parse_age(const char *value, uint64_t *ret_usec) {
    uint64_t usec;
    int r = parse_span(value, &usec);

    if (r < 0)
        return r;
    *ret_usec = usec == USEC_INFINITY ? 0 : usec;
    return 0;
}

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
    KEY("HistoryMaxAgeSec", history_max_age_usec, "a time span up to 100 years, as 30d, 0 for all",
        parse_age, CONFIG_AGE_LIMIT),
    KEY("LogsMax", logs_max, "a size up to 1024T, as 500M or 10G", parse_size, TASK_SIZE_LIMIT),
    KEY("MinFreeDisk", min_free_disk, "a size up to 1024T, as 64M, 0 for no check", parse_size,
        TASK_SIZE_LIMIT),
    KEY("StopTimeoutSec", stop_timeout_usec, "a time span up to a week, as 10s or 2min", parse_span,
        TASK_STOP_TIMEOUT_LIMIT),
    KEY("Journal", journal, "yes or no", parse_switch, 1),
    KEY("LogMax", log_max, "a size up to 1024T, as 500M or 8G", parse_size, TASK_LOG_MAX_LIMIT),
    KEY("ResultMax", result_max, "a size up to 8M, as 1M", parse_size, TASK_RESULT_MAX_LIMIT),
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
    else if (keys[key].size == sizeof(bool))
        *(bool *)field = number;
    else
        *(unsigned *)field = (unsigned)number;
    return 0;
}

typedef struct Reader {
    const char *path;
    const char *rest; /* what of the text has not been read */
    unsigned line;
    Config config;
    bool out_of_memory;
    Error *error;
} Reader;

/* As fgets(3), for inih, which has room for some 200 bytes: of a comment the rest is left out, a
 * longer value is an error. */
static char *read_line(char *buf, int size, void *userdata) {
    Reader *reader = userdata;
    size_t len = strcspn(reader->rest, "\n"), room = (size_t)size - 2;
    const char *begin = reader->rest + strspn(reader->rest, " \t");

    if (!*reader->rest)
        return NULL;
    reader->line++;
    if (len > room && !strchr("#;", *begin))
        error_set(reader->error, ERROR_INVALID_OPTION, "%s: line %u has more than %zu bytes",
                  reader->path, reader->line, room);
    memcpy(buf, reader->rest, MIN(len, room));
    strcpy(buf + MIN(len, room), "\n");
    reader->rest += len + (reader->rest[len] == '\n');
    return buf;
}

static int on_manager_key(Reader *reader, const char *name, const char *value) {
    for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
        if (!streq(name, keys[i].name))
            continue;
        if (read_value(value, i, &reader->config) >= 0)
            return 0;
        return error_set(reader->error, ERROR_INVALID_OPTION, "%s: %s=%s is not valid, it wants %s",
                         reader->path, name, value, keys[i].wants);
    }
    return -ENOENT;
}

static int on_resource(Reader *reader, const char *name, const char *value) {
    ResourceTable *table = &reader->config.resources;
    uint32_t capacity = 0;
    int r = group_name_check("resource", name, reader->error);

    if (r < 0) {
        error_prefix(reader->error, "%s: line %u: ", reader->path, reader->line);
        return r;
    }
    if (parse_u32(value, &capacity) < 0 || capacity == 0)
        return error_set(reader->error, ERROR_INVALID_OPTION,
                         "%s: line %u: %s=%s is not valid, it wants a number of tokens, at least "
                         "1; without the line there are none",
                         reader->path, reader->line, name, value);
    if (HASH_COUNT(table->by_name) >= RESOURCES_MAX && !resource_find(table, name))
        return error_set(reader->error, ERROR_INVALID_OPTION,
                         "%s: line %u: there are more than %d resources", reader->path,
                         reader->line, RESOURCES_MAX);
    return resource_configure(table, name, capacity);
}

/* inih wants 1 for a line that is all right. */
static int on_line(void *userdata, const char *section, const char *name, const char *value) {
    Reader *reader = userdata;
    int r = streq(section, "Manager")     ? on_manager_key(reader, name, value)
            : streq(section, "Resources") ? on_resource(reader, name, value)
                                          : -ENOENT;

    if (r == -ENOENT)
        log_warning("%s: unknown key %s= in section [%s], ignoring", reader->path, name, section);
    if (r == -ENOMEM)
        reader->out_of_memory = true;
    return r >= 0 || r == -ENOENT;
}

/* The file may be a link to where somebody keeps such files. */
static int read_text(const char *path, char **ret) {
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
    return fd_read_all(fd, FILE_MAX, ret, NULL);
}

static int parse_text(Reader *reader) {
    int line = ini_parse_stream(read_line, reader, on_line, reader);

    if (reader->out_of_memory || line < 0)
        return -ENOMEM;
    if (line > 0)
        error_set(reader->error, ERROR_INVALID_OPTION,
                  "%s: line %d is neither [Section] nor Key=Value", reader->path, line);
    return reader->error->code != ERROR_NONE ? -EREMOTE : 0;
}

void config_done(Config *c) {
    resource_table_done(&c->resources);
}

int config_load(const char *path, bool required, Config *ret, Error *error) {
    Reader reader = {.path = path, .config = config_defaults, .error = error};
    _cleanup_free_ char *text = NULL;
    int r = read_text(path, &text);

    reader.config.max_parallel = cpus();
    if (r < 0 && (r != -ENOENT || required))
        return error_set(error, ERROR_INVALID_OPTION, "Cannot read the configuration %s: %s", path,
                         strerror(-r));
    reader.rest = strempty(text);
    r = parse_text(&reader);
    if (r < 0) {
        config_done(&reader.config);
        return r;
    }
    *ret = reader.config;
    return 0;
}
