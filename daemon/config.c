#include "daemon/config.h"

#include <errno.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/parse.h"
#include "daemon/config-file.h"
#include "daemon/core/group.h"
#include "daemon/core/task-spec.h"
#include "daemon/http/http-url.h"

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
    ConfigFile file;
    Config config;
} Reader;

/* One that cannot be asked would say of each outage that it is this machine that is offline. What
 * has an '@' in it may have a password, and is not shown. */
static int check_probe(Reader *reader, const char *value) {
    _cleanup_free_ char *url = http_url_join(value, "");

    if (url)
        return 0;
    return config_file_error(&reader->file,
                             "NetworkProbe=%s is not valid, it wants an url, as "
                             "http://example.org/, or nothing for no probe",
                             strchr(value, '@') ? "" : value);
}

static int read_probe(Reader *reader, const char *value) {
    if (!isempty(value) && check_probe(reader, value) < 0)
        return -EREMOTE;
    char *copy = isempty(value) ? NULL : strdup(value);
    if (!isempty(value) && !copy)
        return -ENOMEM;
    free(reader->config.network_probe);
    reader->config.network_probe = copy;
    return 0;
}

static int on_manager_key(Reader *reader, const char *name, const char *value) {
    if (streq(name, "NetworkProbe"))
        return read_probe(reader, value);
    for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
        if (!streq(name, keys[i].name))
            continue;
        if (read_value(value, i, &reader->config) >= 0)
            return 0;
        return error_set(reader->file.error, ERROR_INVALID_OPTION,
                         "%s: %s=%s is not valid, it wants %s", reader->file.path, name, value,
                         keys[i].wants);
    }
    return -ENOENT;
}

static int on_resource(Reader *reader, const char *name, const char *value) {
    ResourceTable *table = &reader->config.resources;
    uint32_t capacity = 0;
    int r = group_name_check("resource", name, reader->file.error);

    if (r < 0) {
        config_file_locate(&reader->file);
        return r;
    }
    if (parse_u32(value, &capacity) < 0 || capacity == 0)
        return config_file_error(&reader->file,
                                 "%s=%s is not valid, it wants a number of tokens, at least 1; "
                                 "without the line there are none",
                                 name, value);
    if (HASH_COUNT(table->by_name) >= RESOURCES_MAX && !resource_find(table, name))
        return config_file_error(&reader->file, "there are more than %d resources", RESOURCES_MAX);
    return resource_configure(table, name, capacity);
}

static int on_section(ConfigFile *f, const char *section) {
    Reader *reader = CONTAINER_OF(f, Reader, file);

    return config_backends_section(&reader->config.backends, f, section);
}

static int on_key(ConfigFile *f, const char *section, const char *name, const char *value) {
    Reader *reader = CONTAINER_OF(f, Reader, file);

    if (streq(section, "Manager"))
        return on_manager_key(reader, name, value);
    if (streq(section, "Resources"))
        return on_resource(reader, name, value);
    return config_backends_key(&reader->config.backends, f, section, name, value);
}

void config_done(Config *c) {
    resource_table_done(&c->resources);
    config_backends_done(&c->backends);
    free(c->network_probe);
}

static int read_all(Reader *reader, bool required) {
    ConfigFile *f = &reader->file;
    int r = config_file_read(f);

    if (r < 0 && r != -EREMOTE && r != -ENOMEM && (r != -ENOENT || required))
        return error_set(f->error, ERROR_INVALID_OPTION, "Cannot read the configuration %s: %s",
                         f->path, strerror(-r));
    if (r >= 0)
        r = config_backends_check(&reader->config.backends, f->error);
    if (r >= 0 || r == -ENOENT)
        r = config_backends_read_dir(&reader->config.backends, f->path);
    return r;
}

int config_load(const char *path, bool required, Config *ret, Error *error) {
    Reader reader = {
        .file = {.path = path, .error = error, .on_key = on_key, .on_section = on_section},
        .config = config_defaults,
    };

    reader.config.max_parallel = cpus();
    int r = read_all(&reader, required);
    if (r < 0) {
        config_done(&reader.config);
        return r;
    }
    *ret = reader.config;
    return 0;
}
