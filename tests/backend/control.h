#pragma once

#include "tests/backend/exchange.h"

/* What tests say to the server, under /_test:
 *
 *     POST   /_test/faults             add one, or an array of them, see fault.h
 *     DELETE /_test/faults             none any more; what hangs goes on hanging
 *     GET    /_test/requests?path=P    those that came, the newest of them; &count=1: how many
 *     DELETE /_test/requests           forget them
 *     POST   /_test/set                messenger, documents, files, operations, authorization:
 *                                      see there
 *     GET    /_test/state              what there is, and how many connections, requests, faults
 *     POST   /_test/give-up            closes the connections that hang */
bool control_route(Exchange *e, Server *s);
