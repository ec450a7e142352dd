#pragma once

#include <uthash.h>

#include "daemon/config-file.h"
#include "daemon/core/backend.h"

/* Backends of the configuration: sections [Backend NAME] of longrun.conf, and beside it
 * backend.d/NAME.conf, each with a section [Backend]. */

#define CONFIG_BACKEND_DIR "backend.d"

typedef struct ConfigBackend {
    char *name;
    BackendSettings *settings; /* NULL: its file cannot be made use of, as was logged */
    char *origin;              /* the file */
    UT_hash_handle hh;
} ConfigBackend;

typedef struct ConfigBackends {
    ConfigBackend *by_name;
    bool incomplete; /* backend.d could not be read, as was logged */
} ConfigBackends;

void config_backends_done(ConfigBackends *l);
const ConfigBackend *config_backend_find(const ConfigBackends *l, const char *name); /* or NULL */
/* By name; NULL begins, and ends. */
const ConfigBackend *config_backend_next(const ConfigBackends *l, const ConfigBackend *b);

/* Of longrun.conf: a section begins, and a key in it. -ENOENT: it is none of a backend, or unknown;
 * -EREMOTE with the error set; -ENOMEM. */
int config_backends_section(ConfigBackends *l, ConfigFile *f, const char *section);
int config_backends_key(ConfigBackends *l, ConfigFile *f, const char *section, const char *name,
                        const char *value);
/* All of longrun.conf has been read: whether the settings of each fit together. 0 or -EREMOTE. */
int config_backends_check(ConfigBackends *l, Error *error);

/* Adds those of backend.d beside the file; a bad one is logged and left out. 0 or -ENOMEM. */
int config_backends_read_dir(ConfigBackends *l, const char *config_path);
