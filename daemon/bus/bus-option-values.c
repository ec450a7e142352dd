#include <errno.h>

#include "common/strv.h"
#include "daemon/bus/bus-options.h"

/* Values of options, in messages. */

/* ---- reading ---- */

/* Enters the variant, when it has the type that the option wants. */
static int enter_value(sd_bus_message *m, const char *option, const char *type, Error *error) {
    const char *contents;
    char container;
    int r = sd_bus_message_peek_type(m, &container, &contents);

    if (r < 0)
        return r;
    if (!streq(contents, type))
        return error_set(error, ERROR_INVALID_OPTION, "option %s is of type %s, not %s", option,
                         type, contents);
    return sd_bus_message_enter_container(m, 'v', type);
}

int bus_option_read_basic(sd_bus_message *m, const char *option, const char *type, void *ret,
                          Error *error) {
    int r = enter_value(m, option, type, error);

    if (r < 0)
        return r;
    r = sd_bus_message_read_basic(m, type[0], ret);
    return r < 0 ? r : sd_bus_message_exit_container(m);
}

int bus_option_read_strings(sd_bus_message *m, const char *option, char ***ret, Error *error) {
    int r = enter_value(m, option, "as", error);

    if (r < 0)
        return r;
    r = sd_bus_message_read_strv(m, ret);
    return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_string_option(sd_bus_message *m, const TaskOption *o, char **field, Error *error) {
    const char *s;
    int r = bus_option_read_basic(m, o->name, "s", &s, error);

    if (r < 0)
        return r;
    char *copy = strdup(s);
    if (!copy)
        return -ENOMEM;
    free(*field);
    *field = copy;
    return 0;
}

static int read_strings_option(sd_bus_message *m, const TaskOption *o, char ***field,
                               Error *error) {
    _cleanup_(strv_freep) char **strings = NULL;
    int r = bus_option_read_strings(m, o->name, &strings, error);

    if (r < 0)
        return r;
    strv_free(*field);
    *field = TAKE_PTR(strings);
    return 0;
}

static int read_env_option(sd_bus_message *m, const BusApi *api, void *api_userdata,
                           const TaskOption *o, EnvBlock **field, Error *error) {
    _cleanup_(strv_freep) char **strings = NULL;
    int r = bus_option_read_strings(m, o->name, &strings, error);

    if (r < 0)
        return r;
    env_block_unref(*field);
    *field = api->intern_env(api_userdata, strings);
    return *field ? 0 : -ENOMEM;
}

/* Gives the numbers as they lie in the message: of 1, 4 or 8 bytes, as the type says. */
static int read_numbers(sd_bus_message *m, const TaskOption *o, const void **ret, size_t *ret_size,
                        Error *error) {
    int r = enter_value(m, o->name, o->type, error);

    if (r >= 0)
        r = sd_bus_message_read_array(m, o->type[1], ret, ret_size);
    return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_ids_option(sd_bus_message *m, const TaskOption *o, IdList **field, Error *error) {
    const void *ids;
    size_t size;
    IdList *l;
    int r = read_numbers(m, o, &ids, &size, error);

    if (r >= 0)
        r = id_list_new(&l, ids, size / sizeof(uint64_t));
    if (r < 0)
        return r;
    free(*field);
    *field = l;
    return 0;
}

static int read_codes_option(sd_bus_message *m, const TaskOption *o, CodeList **field,
                             Error *error) {
    const void *codes;
    size_t size;
    CodeList *l;
    int r = read_numbers(m, o, &codes, &size, error);

    if (r >= 0)
        r = code_list_new(&l, codes, size / sizeof(int32_t));
    if (r < 0)
        return r;
    free(*field);
    *field = l;
    return 0;
}

static int read_bytes_option(sd_bus_message *m, const TaskOption *o, Bytes **field, Error *error) {
    const void *data;
    size_t size;
    Bytes *b;
    int r = read_numbers(m, o, &data, &size, error);

    if (r >= 0)
        r = bytes_new(&b, data, size);
    if (r < 0)
        return r;
    free(*field);
    *field = b;
    return 0;
}

/* The names point into the message. */
static int read_claims(sd_bus_message *m, const TaskOption *o, TokenClaim *claims, size_t *n,
                       Error *error) {
    int r = sd_bus_message_enter_container(m, 'a', "{su}");

    if (r < 0)
        return r;
    for (*n = 0;; (*n)++) {
        TokenClaim c;
        r = sd_bus_message_read(m, "{su}", &c.name, &c.amount);
        if (r <= 0)
            break;
        if (*n == TASK_RESOURCES_MAX)
            return error_set(error, ERROR_INVALID_OPTION, "%s has more than %d entries", o->name,
                             TASK_RESOURCES_MAX);
        claims[*n] = c;
    }
    return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_tokens_option(sd_bus_message *m, const TaskOption *o, TokenList **field,
                              Error *error) {
    TokenClaim claims[TASK_RESOURCES_MAX];
    size_t n;
    TokenList *l;
    int r = enter_value(m, o->name, o->type, error);

    if (r >= 0)
        r = read_claims(m, o, claims, &n, error);
    if (r >= 0)
        r = sd_bus_message_exit_container(m);
    if (r >= 0)
        r = token_list_new(&l, claims, n);
    if (r < 0)
        return r;
    free(*field);
    *field = l;
    return 0;
}

static int read_value(sd_bus_message *m, const BusApi *api, void *api_userdata, const TaskOption *o,
                      void *field, Error *error) {
    int flag, r;

    switch (task_option_type(o)) {
    case TASK_OPTION_STRING:
        return read_string_option(m, o, field, error);
    case TASK_OPTION_STRINGS:
        return read_strings_option(m, o, field, error);
    case TASK_OPTION_ENV:
        return read_env_option(m, api, api_userdata, o, field, error);
    case TASK_OPTION_IDS:
        return read_ids_option(m, o, field, error);
    case TASK_OPTION_CODES:
        return read_codes_option(m, o, field, error);
    case TASK_OPTION_TOKENS:
        return read_tokens_option(m, o, field, error);
    case TASK_OPTION_BYTES:
        return read_bytes_option(m, o, field, error);
    case TASK_OPTION_BOOL:
        r = bus_option_read_basic(m, o->name, "b", &flag, error);
        if (r >= 0)
            *(bool *)field = flag;
        return r;
    case TASK_OPTION_U32:
    case TASK_OPTION_I32:
    case TASK_OPTION_U64: /* as wide as their fields */
        return bus_option_read_basic(m, o->name, o->type, field, error);
    }
    return -EINVAL;
}

int bus_option_read(sd_bus_message *m, const BusApi *api, void *api_userdata, const TaskOption *o,
                    TaskSpec *spec, Error *error) {
    uint64_t bit = task_option_bit(o);
    int r;

    if (spec->given & bit)
        return error_set(error, ERROR_INVALID_OPTION, "option %s is given twice", o->name);
    r = read_value(m, api, api_userdata, o, task_option_field(o, spec), error);
    if (r >= 0)
        spec->given |= bit;
    return r;
}

/* ---- appending ---- */

static int append_tokens(sd_bus_message *m, const TokenList *l) {
    int r = sd_bus_message_open_container(m, 'a', "{su}");

    for (size_t i = 0; r >= 0 && i < token_list_length(l); i++)
        r = sd_bus_message_append(m, "{su}", l->claims[i].name, l->claims[i].amount);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

int bus_option_append(sd_bus_message *m, const TaskOption *o, const TaskSpec *spec) {
    const void *value = task_option_value(o, spec);
    const CodeList *codes;
    const IdList *ids;
    const Bytes *bytes;
    int flag;

    switch (task_option_type(o)) {
    case TASK_OPTION_STRING:
        return sd_bus_message_append_basic(m, 's', strempty(*(char *const *)value));
    case TASK_OPTION_STRINGS:
        return sd_bus_message_append_strv(m, *(char **const *)value);
    case TASK_OPTION_ENV:
        return sd_bus_message_append_strv(m, (char **)env_block_strings(*(EnvBlock *const *)value));
    case TASK_OPTION_BOOL:
        flag = *(const bool *)value;
        return sd_bus_message_append_basic(m, 'b', &flag);
    case TASK_OPTION_IDS:
        ids = *(IdList *const *)value;
        return sd_bus_message_append_array(m, 't', ids ? ids->ids : NULL,
                                           id_list_length(ids) * sizeof(uint64_t));
    case TASK_OPTION_CODES:
        codes = *(CodeList *const *)value;
        return sd_bus_message_append_array(m, 'i', codes ? codes->codes : NULL,
                                           code_list_length(codes) * sizeof(int32_t));
    case TASK_OPTION_TOKENS:
        return append_tokens(m, *(TokenList *const *)value);
    case TASK_OPTION_BYTES:
        bytes = *(Bytes *const *)value;
        return sd_bus_message_append_array(m, 'y', bytes ? bytes->data : NULL, bytes_length(bytes));
    case TASK_OPTION_U32:
    case TASK_OPTION_I32:
    case TASK_OPTION_U64: /* as wide as their fields */
        return sd_bus_message_append_basic(m, o->type[0], value);
    }
    return -EINVAL;
}
