#pragma once

#include "daemon/core/error.h"

/* A file of the configuration: INI, with sections and keys. Unknown keys are warned of, which lets
 * an older daemon read the file of a newer one. */
typedef struct ConfigFile ConfigFile;

struct ConfigFile {
    const char *path;
    Error *error;
    /* A key of a section. -ENOENT: unknown; -EREMOTE with the error set; -ENOMEM. */
    int (*on_key)(ConfigFile *f, const char *section, const char *name, const char *value);
    /* A section begins, also one without keys. NULL: nobody wants to know. */
    int (*on_section)(ConfigFile *f, const char *section);

    unsigned line;    /* the one that is being read */
    const char *rest; /* what of the text has not been read */
    bool out_of_memory;
};

/* Reads all of it. 0; -EREMOTE with the error set; -ENOMEM; or another -errno of a file that cannot
 * be read, -ENOENT for one that is not there. */
int config_file_read(ConfigFile *f);

/* Sets the error, with path and line before the words. -EREMOTE. */
int config_file_error(ConfigFile *f, const char *format, ...) _printf_(2, 3);
/* Puts path and line before an error that is set. */
void config_file_locate(ConfigFile *f);
