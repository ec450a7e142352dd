#pragma once

#include "tests/backend/exchange.h"

/* Sends the reply, as the delivery says. */
enum MHD_Result stream_send(Exchange *e);

/* For reply.read: blanks, which JSON may have anywhere. */
size_t body_blanks(Exchange *e, uint64_t pos, char *buf, size_t max);
