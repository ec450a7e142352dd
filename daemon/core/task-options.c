#include "daemon/core/task-options.h"

#include <errno.h>
#include <pthread.h>

#include "common/strv.h"

#define DEFAULT TASK_OPTION_DEFAULT
#define OWN_PROCESS (TASK_OPTION_DEFAULT | TASK_OPTION_OWN_PROCESS)
#define FIRST TASK_OPTION_FIRST

/* clang-format off */
const TaskOption *task_options(void) {
    static const TaskOption options[] = {
        {"label", "s", offsetof(TaskSpec, label)},
        {"group", "s", offsetof(TaskSpec, group)},
        {"cwd", "s", offsetof(TaskSpec, cwd)},
        {"unique", "s", offsetof(TaskSpec, unique)},
        {"params", "s", offsetof(TaskSpec, params)},
        {"argv", "as", offsetof(TaskSpec, argv)},
        {"env", "as", offsetof(TaskSpec, env)},
        {"clear-env", "b", offsetof(TaskSpec, clear_env)},
        {"isolate", "b", offsetof(TaskSpec, isolate)},
        {"umask", "u", offsetof(TaskSpec, umask)},
        {"timeout", "t", offsetof(TaskSpec, timeout_usec), DEFAULT},
        {"idle-timeout", "t", offsetof(TaskSpec, idle_timeout_usec), DEFAULT},
        {"queue-timeout", "t", offsetof(TaskSpec, queue_timeout_usec), DEFAULT},
        {"stop-timeout", "t", offsetof(TaskSpec, stop_timeout_usec), DEFAULT},
        {"memory-max", "t", offsetof(TaskSpec, memory_max), OWN_PROCESS},
        {"pids-max", "t", offsetof(TaskSpec, pids_max), OWN_PROCESS},
        {"cpu-weight", "u", offsetof(TaskSpec, cpu_weight), OWN_PROCESS},
        {"nice", "i", offsetof(TaskSpec, nice), OWN_PROCESS},
        {"log-max", "t", offsetof(TaskSpec, log_max), DEFAULT},
        {"result-max", "t", offsetof(TaskSpec, result_max), DEFAULT},
        {"on-interrupt", "s", offsetof(TaskSpec, on_interrupt), DEFAULT},
        {"notify", "b", offsetof(TaskSpec, notify), DEFAULT},
        {"priority", "i", offsetof(TaskSpec, priority), DEFAULT},
        {"after", "at", offsetof(TaskSpec, after), FIRST},
        {"after-any", "at", offsetof(TaskSpec, after_any), FIRST},
        {"after-failed", "at", offsetof(TaskSpec, after_failed), FIRST},
        {"after-index", "at", offsetof(TaskSpec, after_index), TASK_OPTION_CALL},
        {"when-online", "s", offsetof(TaskSpec, when_online)},
        {"start-at", "t", offsetof(TaskSpec, start_at), FIRST},
        {"resources", "a{su}", offsetof(TaskSpec, resources), DEFAULT},
        {"parent", "t", offsetof(TaskSpec, parent)},
        {"retries", "u", offsetof(TaskSpec, retries), DEFAULT},
        {"retry-delay", "t", offsetof(TaskSpec, retry_delay_usec), DEFAULT},
        {"retry-on", "ai", offsetof(TaskSpec, retry_on), DEFAULT},
        {"every", "t", offsetof(TaskSpec, every_usec), FIRST},
        {"calendar", "s", offsetof(TaskSpec, calendar), FIRST},
        {"persistent", "b", offsetof(TaskSpec, persistent), FIRST},
        {"stdin-open", "b", offsetof(TaskSpec, stdin_open)},
        {"stdin", "ay", offsetof(TaskSpec, stdin_data)},
        {"stdin-file", "s", offsetof(TaskSpec, stdin_file)},
        {"pty", "b", offsetof(TaskSpec, pty), OWN_PROCESS},
        {"pty-size", "s", offsetof(TaskSpec, pty_size), OWN_PROCESS},
        {},
    };

    return options;
}
/* clang-format on */

TaskOptionType task_option_type(const TaskOption *o) {
    switch (o->type[0]) {
    case 's':
        return TASK_OPTION_STRING;
    case 'b':
        return TASK_OPTION_BOOL;
    case 'u':
        return TASK_OPTION_U32;
    case 'i':
        return TASK_OPTION_I32;
    case 't':
        return TASK_OPTION_U64;
    default: /* 'a' */
        break;
    }
    switch (o->type[1]) {
    case 't':
        return TASK_OPTION_IDS;
    case 'i':
        return TASK_OPTION_CODES;
    case 'y':
        return TASK_OPTION_BYTES;
    case '{':
        return TASK_OPTION_TOKENS;
    default: /* 's' */
        return o->offset == offsetof(TaskSpec, env) ? TASK_OPTION_ENV : TASK_OPTION_STRINGS;
    }
}

#define OPTIONS_MAX 64
static const TaskOption *owned[OPTIONS_MAX + 1];

static bool is_owned(const TaskOption *o, bool string) {
    TaskOptionType type = task_option_type(o);

    return string ? type == TASK_OPTION_STRING
                  : type == TASK_OPTION_STRINGS || type == TASK_OPTION_IDS ||
                        type == TASK_OPTION_CODES || type == TASK_OPTION_TOKENS ||
                        type == TASK_OPTION_BYTES;
}

static void find_owned(void) {
    size_t n = 0;

    for (int string = 0; string < 2; string++)
        for (const TaskOption *o = task_options(); o->name; o++)
            if (is_owned(o, string))
                owned[n++] = o;
}

const TaskOption *const *task_options_owned(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, find_owned);
    return owned;
}

const TaskOption *task_option_by_name(const char *name) {
    for (const TaskOption *o = task_options(); o->name; o++)
        if (streq(o->name, name))
            return o;
    return NULL;
}

bool task_spec_gives(const TaskSpec *s, size_t offset) {
    for (const TaskOption *o = task_options(); o->name; o++)
        if (o->offset == offset)
            return s->given & task_option_bit(o);
    return false;
}

/* ---- copies ---- */

static int copy_string(char **to, const char *from) {
    char *copy = strdup(from);

    if (!copy)
        return -ENOMEM;
    free(*to);
    *to = copy;
    return 0;
}

static int copy_strings(char ***to, char *const *from) {
    char **copy = from ? strv_copy(from) : NULL;

    if (from && !copy)
        return -ENOMEM;
    strv_free(*to);
    *to = copy;
    return 0;
}

static void copy_env(EnvBlock **to, EnvBlock *from) {
    EnvBlock *before = *to;

    *to = from ? env_block_ref(from) : NULL;
    env_block_unref(before);
}

/* Lists are one piece of memory each; r: of the function that made the copy. */
static int take_list(void **to, void *copy, int r) {
    if (r < 0)
        return r;
    free(*to);
    *to = copy;
    return 0;
}

static int copy_ids(IdList **to, const IdList *from) {
    IdList *copy = NULL;
    int r = from ? id_list_new(&copy, from->ids, from->n) : 0;

    return take_list((void **)to, copy, r);
}

static int copy_codes(CodeList **to, const CodeList *from) {
    CodeList *copy = NULL;
    int r = from ? code_list_new(&copy, from->codes, from->n) : 0;

    return take_list((void **)to, copy, r);
}

static int copy_tokens(TokenList **to, const TokenList *from) {
    TokenList *copy = NULL;
    int r = from ? token_list_new(&copy, from->claims, from->n) : 0;

    return take_list((void **)to, copy, r);
}

static int copy_bytes(Bytes **to, const Bytes *from) {
    Bytes *copy = NULL;
    int r = from ? bytes_new(&copy, from->data, from->size) : 0;

    return take_list((void **)to, copy, r);
}

int task_option_copy(const TaskOption *o, TaskSpec *to, const TaskSpec *from) {
    void *field = task_option_field(o, to);
    const void *value = task_option_value(o, from);

    switch (task_option_type(o)) {
    case TASK_OPTION_STRING:
        return copy_string(field, *(char *const *)value);
    case TASK_OPTION_STRINGS:
        return copy_strings(field, *(char **const *)value);
    case TASK_OPTION_ENV:
        copy_env(field, *(EnvBlock *const *)value);
        return 0;
    case TASK_OPTION_BOOL:
        *(bool *)field = *(const bool *)value;
        return 0;
    case TASK_OPTION_U32:
        *(uint32_t *)field = *(const uint32_t *)value;
        return 0;
    case TASK_OPTION_I32:
        *(int32_t *)field = *(const int32_t *)value;
        return 0;
    case TASK_OPTION_U64:
        *(uint64_t *)field = *(const uint64_t *)value;
        return 0;
    case TASK_OPTION_IDS:
        return copy_ids(field, *(IdList *const *)value);
    case TASK_OPTION_CODES:
        return copy_codes(field, *(CodeList *const *)value);
    case TASK_OPTION_TOKENS:
        return copy_tokens(field, *(TokenList *const *)value);
    case TASK_OPTION_BYTES:
        return copy_bytes(field, *(Bytes *const *)value);
    }
    return 0;
}
