#pragma once

#include "daemon/http/http-operation-reading.h"

/* How far an answer says that it is: fraction, done and total of the reading. */
void operation_read_progress(const cJSON *root, const HttpOperationParams *p, OperationScale *scale,
                             OperationReading *ret);
