#include "daemon/config-backends.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>

#include "common/log.h"
#include "daemon/core/group.h"

#define SECTION "Backend"
#define SUFFIX ".conf"

/* ---- which there are ---- */

static ConfigBackend *backend_free_one(ConfigBackend *b) {
    if (!b)
        return NULL;
    backend_settings_free(b->settings);
    free(b->name);
    free(b->origin);
    free(b);
    return NULL;
}

void config_backends_done(ConfigBackends *l) {
    ConfigBackend *b, *next;

    HASH_ITER (hh, l->by_name, b, next) {
        HASH_DEL(l->by_name, b);
        backend_free_one(b);
    }
}

static ConfigBackend *find(const ConfigBackends *l, const char *name) {
    ConfigBackend *b;

    HASH_FIND_STR(l->by_name, name, b);
    return b;
}

const ConfigBackend *config_backend_find(const ConfigBackends *l, const char *name) {
    return find(l, name);
}

const ConfigBackend *config_backend_next(const ConfigBackends *l, const ConfigBackend *b) {
    return b ? b->hh.next : l->by_name;
}

static int compare(const ConfigBackend *a, const ConfigBackend *b) {
    return strcmp(a->name, b->name);
}

/* 0 or -ENOMEM. */
static int add(ConfigBackends *l, const char *name, const char *origin, ConfigBackend **ret) {
    ConfigBackend *b = calloc(1, sizeof(ConfigBackend));

    if (!b)
        return -ENOMEM;
    b->name = strdup(name);
    b->origin = strdup(origin);
    b->settings = backend_settings_new();
    if (!b->name || !b->origin || !b->settings) {
        backend_free_one(b);
        return -ENOMEM;
    }
    HASH_ADD_KEYPTR_INORDER(hh, l->by_name, b->name, strlen(b->name), b, compare);
    *ret = b;
    return 0;
}

static int check_room(const ConfigBackends *l, Error *error) {
    if (HASH_COUNT(l->by_name) < BACKENDS_MAX)
        return 0;
    return error_set(error, ERROR_INVALID_OPTION, "there are more than %d backends", BACKENDS_MAX);
}

/* ---- longrun.conf ---- */

/* The name in "Backend NAME"; NULL: it is another section. */
static const char *name_of_section(const char *section) {
    size_t len = strlen(SECTION);

    if (strncmp(section, SECTION, len) != 0 || !strchr(" \t", section[len]) || !section[len])
        return NULL;
    return section + len + strspn(section + len, " \t");
}

int config_backends_section(ConfigBackends *l, ConfigFile *f, const char *section) {
    const char *name = name_of_section(section);
    ConfigBackend *b;

    if (!name)
        return -ENOENT;
    if (find(l, name))
        return 0; /* it goes on */
    if (group_name_check("backend", name, f->error) < 0 || check_room(l, f->error) < 0) {
        config_file_locate(f);
        return -EREMOTE;
    }
    return add(l, name, f->path, &b);
}

static int set_key(ConfigBackend *b, ConfigFile *f, const char *key, const char *value) {
    const BackendSetting *setting = backend_setting_by_key(key);

    if (!setting)
        return -ENOENT;
    int r = backend_setting_parse(b->settings, setting, value, f->error);
    if (r == -EREMOTE)
        config_file_locate(f);
    return r;
}

int config_backends_key(ConfigBackends *l, ConfigFile *f, const char *section, const char *name,
                        const char *value) {
    const char *backend = name_of_section(section);
    ConfigBackend *b = backend ? find(l, backend) : NULL;

    if (f->error->code != ERROR_NONE)
        return -EREMOTE; /* its section was none, maybe */
    return b ? set_key(b, f, name, value) : -ENOENT;
}

static int check_one(ConfigBackend *b, Error *error) {
    int r = backend_settings_check(b->settings, error);

    if (r == -EREMOTE)
        error_prefix(error, "%s: backend %s: ", b->origin, b->name);
    return r;
}

int config_backends_check(ConfigBackends *l, Error *error) {
    ConfigBackend *b, *next;
    int r = 0;

    HASH_ITER (hh, l->by_name, b, next) {
        r = check_one(b, error);
        if (r < 0)
            break;
    }
    return r;
}

/* ---- backend.d ---- */

/* A file of its own, with one backend. */
typedef struct DropIn {
    ConfigFile file;
    ConfigBackend *backend;
} DropIn;

static int on_key(ConfigFile *f, const char *section, const char *name, const char *value) {
    const DropIn *d = CONTAINER_OF(f, DropIn, file);

    return streq(section, SECTION) ? set_key(d->backend, f, name, value) : -ENOENT;
}

static int on_section(ConfigFile *f, const char *section) {
    if (!name_of_section(section))
        return 0;
    return config_file_error(f,
                             "section [%s] is for longrun.conf: here it is [" SECTION
                             "], and the name of the file is that of the backend",
                             section);
}

/* The settings go when they are of no use; the name stays. */
static int read_drop_in(ConfigBackend *b) {
    _cleanup_error_ Error error = {};
    DropIn d = {
        .file = {.path = b->origin, .error = &error, .on_key = on_key, .on_section = on_section},
        .backend = b,
    };
    int r = config_file_read(&d.file);

    if (r >= 0)
        r = check_one(b, &error);
    if (r >= 0 || r == -ENOMEM)
        return r;
    if (r == -EREMOTE)
        log_error("%s. Backend %s is left out", strempty(error.message), b->name);
    else
        log_error_errno(r, "Cannot read %s, backend %s is left out", b->origin, b->name);
    b->settings = backend_settings_free(b->settings);
    return 0;
}

static int check_drop_in(const ConfigBackends *l, const char *name, Error *error) {
    const ConfigBackend *known = find(l, name);
    int r = group_name_check("backend", name, error);

    if (r >= 0 && known)
        return error_set(error, ERROR_INVALID_OPTION, "%s defines backend %s already",
                         known->origin, name);
    return r < 0 ? r : check_room(l, error);
}

static int add_drop_in(ConfigBackends *l, const char *dir, const char *file) {
    _cleanup_error_ Error error = {};
    _cleanup_free_ char *path = NULL, *name = strndup(file, strlen(file) - strlen(SUFFIX));
    ConfigBackend *b;

    if (!name || asprintf(&path, "%s/%s", dir, file) < 0) {
        path = NULL;
        return -ENOMEM;
    }
    if (check_drop_in(l, name, &error) < 0) {
        log_error("%s is left out: %s", path, strempty(error.message));
        return 0;
    }
    int r = add(l, name, path, &b);
    return r < 0 ? r : read_drop_in(b);
}

static int is_drop_in(const struct dirent *e) {
    size_t len = strlen(e->d_name);

    return e->d_name[0] != '.' && len > strlen(SUFFIX) &&
           streq(e->d_name + len - strlen(SUFFIX), SUFFIX);
}

int config_backends_read_dir(ConfigBackends *l, const char *config_path) {
    const char *slash = strrchr(config_path, '/');
    _cleanup_free_ char *dir = NULL;
    struct dirent **entries = NULL;
    int r = 0;

    if (asprintf(&dir, "%.*s" CONFIG_BACKEND_DIR, slash ? (int)(slash + 1 - config_path) : 0,
                 config_path) < 0) {
        dir = NULL;
        return -ENOMEM;
    }
    int n = scandir(dir, &entries, is_drop_in, alphasort);
    if (n < 0 && errno == ENOMEM)
        return -ENOMEM;
    if (n < 0 && errno != ENOENT) {
        l->incomplete = true;
        log_error_errno(-errno, "Cannot read %s, its backends are left out", dir);
    }
    for (int i = 0; i < n; i++) {
        if (r >= 0)
            r = add_drop_in(l, dir, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return r;
}
