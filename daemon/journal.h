#pragma once

/* Sends the program's messages to the journal, with TASK_ID= on those about a task, when stderr is
 * connected to it; else they go on to stderr as text. */
void journal_log_init(void);
