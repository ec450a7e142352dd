#pragma once

#include "common/cleanup.h"
#include "daemon/kinds/kind.h"

extern const Kind kind_checksum;
extern const Kind kind_compute_e;
extern const Kind kind_countdown;
extern const Kind kind_download;
extern const Kind kind_http_operation;
extern const Kind kind_map;
extern const Kind kind_noop;

static inline void cJSON_Deletep(cJSON **p) {
    cJSON_Delete(*p);
}

/* Params come from outside. The functions down to kind_param_array() give 0, or -EINVAL and in
 * *ret_error a line of UTF-8 for whoever wrote the params (owned by the caller): what is wrong with
 * which parameter, and what would be right; or -ENOMEM and no text. */

#define KIND_PARAMS_MAX (2 * MIB) /* bytes of a JSON text of params */

/* Reads the text of params: an object, UTF-8, and no "\u0000" anywhere, since that would cut a
 * string short unseen. */
int kind_parse_params(const char *json, cJSON **ret, char **ret_error);

/* The text of params as one line, owned by the caller; NULL when memory is short or it is none. */
char *kind_params_line(const char *json);

/* Refuses keys that are not among the NULL-terminated names, and those given twice. */
int kind_check_names(const cJSON *params, const char *const *names, char **ret_error);
int kind_check_no_params(const cJSON *params, char **ret_error);

/* Each reads one parameter. *ret holds the default: it is left alone when the parameter is not
 * there. min and max are the first and last good values; a whole number is at most 2^53. */
int kind_param_u64(const cJSON *params, const char *name, uint64_t min, uint64_t max, uint64_t *ret,
                   char **ret_error);
int kind_param_double(const cJSON *params, const char *name, double min, double max, double *ret,
                      char **ret_error);
int kind_param_bool(const cJSON *params, const char *name, bool *ret, char **ret_error);
/* The index of a word in the NULL-terminated list. */
int kind_param_choice(const cJSON *params, const char *name, const char *const *words, size_t *ret,
                      char **ret_error);
/* A line that can be sent; *ret belongs to params. */
int kind_param_message(const cJSON *params, const char *name, const char **ret, char **ret_error);
/* An array of min to max items, which must be there; what names them. *ret belongs to params. */
int kind_param_array(const cJSON *params, const char *name, const char *what, size_t min,
                     size_t max, const cJSON **ret, char **ret_error);

/* Puts down what is wrong. -EINVAL, or -ENOMEM and no text. */
int kind_params_error(char **ret_error, const char *format, ...) _printf_(2, 3);
/* For errors: a number, a text (cut when long) or the type of anything else. */
char *kind_describe_value(const cJSON *value);

/* The end of a run whose params turn out to be wrong; gives r back. */
int kind_fail_params(TaskContext *c, int r, const char *error);

/* task_context_set_result() that says in the closing words why a result was not taken. */
int kind_set_result(TaskContext *c, const char *json);

/* For reports that are worth making 20 times a second at most. Starts zeroed; the first is due. */
typedef struct KindPace {
    uint64_t next_usec; /* CLOCK_MONOTONIC */
} KindPace;

bool kind_pace_due(KindPace *p);
