#include <errno.h>
#include <stdalign.h>

#include "common/strv.h"
#include "common/terminal-size.h"
#include "daemon/core/task-options.h"

/* A request in one piece of memory: the struct, then its lists, then its strings. */

/* What most requests have in common has no place in each. */
static const char *const constants[] = {
    "",
    TASK_GROUP_DEFAULT,
    TASK_KIND_COMMAND,
    TASK_ON_INTERRUPT_FAIL,
    TASK_ON_INTERRUPT_RESTART,
    TERMINAL_SIZE_DEFAULT,
};

/* The same walk is done twice: to measure, with no memory, and to move. */
typedef struct Piece {
    char *memory;
    size_t size;
} Piece;

static void *reserve(Piece *p, size_t size, size_t alignment) {
    p->size = (p->size + alignment - 1) / alignment * alignment;
    void *at = p->memory ? p->memory + p->size : NULL;
    p->size += size;
    return at;
}

static void *put(Piece *p, const void *data, size_t size, size_t alignment) {
    void *at = reserve(p, size, alignment);

    return at ? memcpy(at, data, size) : NULL;
}

static char *put_string(Piece *p, const char *s) {
    for (size_t i = 0; i < ELEMENTSOF(constants); i++)
        if (streq(s, constants[i]))
            return (char *)constants[i];
    return put(p, s, strlen(s) + 1, 1);
}

static char **put_strings(Piece *p, char *const *strings) {
    size_t n = strv_length(strings);
    char **at = reserve(p, (n + 1) * sizeof(char *), alignof(char *));

    for (size_t i = 0; i < n; i++) {
        char *s = put(p, strings[i], strlen(strings[i]) + 1, 1);
        if (at)
            at[i] = s;
    }
    if (at)
        at[n] = NULL;
    return at;
}

static TokenList *put_tokens(Piece *p, const TokenList *l) {
    void *at = reserve(p, token_list_size(l), alignof(TokenList));

    return at ? token_list_place(at, l) : NULL;
}

/* `to` is a copy of the struct of s. */
static void put_option(Piece *p, const TaskOption *o, TaskSpec *to, const TaskSpec *s) {
    const void *value = task_option_value(o, s);
    void **field = task_option_field(o, to);
    const IdList *ids;
    const CodeList *codes;
    const Bytes *bytes;

    switch (task_option_type(o)) {
    case TASK_OPTION_STRING:
        if (o->offset == offsetof(TaskSpec, label)) /* it may be freed when another one is set */
            *field = put(p, s->label, strlen(s->label) + 1, 1);
        else
            *field = put_string(p, *(char *const *)value);
        break;
    case TASK_OPTION_STRINGS:
        *field = *(char **const *)value ? put_strings(p, *(char **const *)value) : NULL;
        break;
    case TASK_OPTION_IDS:
        ids = *(IdList *const *)value;
        *field = ids ? put(p, ids, id_list_size(ids), alignof(IdList)) : NULL;
        break;
    case TASK_OPTION_CODES:
        codes = *(CodeList *const *)value;
        *field = codes ? put(p, codes, code_list_size(codes), alignof(CodeList)) : NULL;
        break;
    case TASK_OPTION_TOKENS:
        *field = *(TokenList *const *)value ? put_tokens(p, *(TokenList *const *)value) : NULL;
        break;
    case TASK_OPTION_BYTES:
        bytes = *(Bytes *const *)value;
        *field = bytes ? put(p, bytes, bytes_size(bytes), alignof(Bytes)) : NULL;
        break;
    case TASK_OPTION_ENV:
    case TASK_OPTION_BOOL:
    case TASK_OPTION_U32:
    case TASK_OPTION_I32:
    case TASK_OPTION_U64: /* copied with the struct */
        break;
    }
}

/* What is aligned comes first, so that nothing is left empty between strings. */
static size_t put_spec(char *memory, const TaskSpec *s) {
    Piece p = {.memory = memory};
    TaskSpec measured = *s, *to = put(&p, s, sizeof(*s), alignof(TaskSpec)) ?: &measured;

    for (const TaskOption *const *o = task_options_owned(); *o; o++)
        put_option(&p, *o, to, s);
    to->kind = put_string(&p, s->kind);
    to->packed = (uint32_t)p.size;
    return p.size;
}

static TaskSpec *pack(const TaskSpec *s) {
    char *memory = malloc(put_spec(NULL, s));

    if (memory)
        put_spec(memory, s);
    return (TaskSpec *)memory;
}

int task_spec_pack(TaskSpec **spec) {
    TaskSpec *s = *spec, *packed;

    if (s->packed > 0)
        return 0;
    packed = pack(s);
    if (!packed)
        return -ENOMEM;
    s->env = NULL; /* it has moved */
    task_spec_free(s);
    *spec = packed;
    return 0;
}

int task_spec_pack_copy(TaskSpec **ret, const TaskSpec *s) {
    TaskSpec *packed = pack(s);

    if (!packed)
        return -ENOMEM;
    packed->env = NULL;
    *ret = packed;
    return 0;
}

/* ---- what it takes ---- */

size_t task_spec_size(const TaskSpec *s) {
    return s->packed > 0 ? s->packed : put_spec(NULL, s);
}

/* ---- places in a call ---- */

static int join_after(const TaskSpec *s, const uint64_t *ids, IdList **ret) {
    size_t n = id_list_length(s->after), n_index = id_list_length(s->after_index);
    _cleanup_free_ uint64_t *all = malloc((n + n_index) * sizeof(uint64_t));

    if (!all)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        all[i] = s->after->ids[i];
    for (size_t i = 0; i < n_index; i++)
        all[n + i] = ids[s->after_index->ids[i]];
    return id_list_new(ret, all, n + n_index);
}

int task_spec_resolve_index(TaskSpec **spec, const uint64_t *ids) {
    _cleanup_free_ IdList *joined = NULL;
    int r;

    if (!(*spec)->after_index)
        return 0;
    r = join_after(*spec, ids, &joined);
    if (r < 0)
        return r;
    id_list_sort(joined);
    _cleanup_(task_spec_freep) TaskSpec *copy = task_spec_copy(*spec, TASK_OPTION_CALL);
    if (!copy)
        return -ENOMEM;
    free(copy->after);
    copy->after = TAKE_PTR(joined);
    r = task_spec_pack(&copy);
    if (r < 0)
        return r;
    task_spec_free(*spec);
    *spec = TAKE_PTR(copy);
    return 0;
}
