#pragma once

#include <adwaita.h>

/* The bar comes when the boolean property becomes TRUE and goes when it becomes FALSE, for one that
 * says whether there is room. That is found out while the window is laid out, and a bar that comes
 * in the middle of it, as with a binding, makes GTK 4.8 warn of a size below 0 where nothing is
 * animated: this one comes a moment later. */
void late_reveal_bind(gpointer source, const char *property, AdwViewSwitcherBar *bar);
