#include <ctype.h>
#include <stdio.h>

#include "client-cli/body.h"
#include "client-cli/commands.h"
#include "client-cli/output.h"
#include "client-cli/params.h"
#include "client-cli/start-task.h"
#include "client-cli/task-options.h"

/* longrun operation */

#define LABEL_COLUMNS 100

/* clang-format off */
const Option operation_options[] = {
    WAY_OPTIONS,
    {OPT_METHOD, 'm', "method", "METHOD", "of the request that starts it (POST)"},
    {OPT_BODY_FILE, 'b', "body-file", "FILE", "has the body; - is standard input"},
    {OPT_HEADER, 'H', "header", "'NAME: VALUE'", "to send along; may be given several times"},
    {OPT_PARAM, 'p', "param", "NAME=VALUE", "another parameter of the kind http-operation: JSON, else a string"},
    NAMED_OPTIONS,
    PLANNED_OPTIONS,
    OPTIONS_END,
};
/* clang-format on */

static int read_body(const Invocation *inv, char **ret) {
    const char *file = invocation_value(inv, OPT_BODY_FILE);

    if (file && inv->n_args > 2)
        return usage_error(inv->command, "BODY does not go together with --body-file");
    if (file)
        return body_read_file(file, ret);
    return inv->n_args > 2 ? body_read(inv->args[2], ret) : 0;
}

static int set_body(const Invocation *inv, cJSON *params) {
    _cleanup_free_ char *body = NULL;
    int r = read_body(inv, &body);

    if (r != 0 || !body)
        return r;
    _cleanup_json_ cJSON *parsed = cJSON_ParseWithOpts(body, NULL, true);
    if (!parsed)
        return usage_error(inv->command,
                           "the body must be JSON, as in '{\"name\": \"x\"}'; a text alone has "
                           "quotes: '\"x\"'");
    params_set(params, "body", json_new_embedded(body));
    return 0;
}

static int set_method(const Invocation *inv, cJSON *params) {
    const char *given = invocation_value(inv, OPT_METHOD);

    if (!given)
        return 0;
    _cleanup_free_ char *method = must(strdup(given));
    for (char *p = method; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    int r = text_check("the method", method);
    if (r == 0)
        params_set(params, "method", cJSON_CreateString(method));
    return r;
}

static int fill_params(const Invocation *inv, cJSON *params) {
    int r = text_check("the backend", inv->args[0]);

    if (r == 0)
        r = text_check("the path", inv->args[1]);
    if (r != 0)
        return r;
    params_set(params, "backend", cJSON_CreateString(inv->args[0]));
    params_set(params, "path", cJSON_CreateString(inv->args[1]));
    r = set_method(inv, params);
    if (r == 0)
        r = set_body(inv, params);
    return r == 0 ? params_set_headers(inv, params) : r;
}

int cmd_operation(const Invocation *inv) {
    _cleanup_free_ char *text = NULL, *where = NULL, *label = NULL;
    _cleanup_json_ cJSON *params = NULL;
    int r = params_read(inv, &params);

    if (r == 0)
        r = fill_params(inv, params);
    if (r != 0)
        return r;
    text = must(cJSON_PrintUnformatted(params));
    if (asprintf(&where, "%s%s", inv->args[0], inv->args[1]) < 0)
        where = must(NULL);
    label = text_cut(where, LABEL_COLUMNS);
    return start_task(inv,
                      &(StartRequest){.kind = "http-operation", .params = text, .label = label});
}
