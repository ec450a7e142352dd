#!/usr/bin/python3
"""The window: it comes up, shows its pages, and ends.

    LONGRUN_GTK=PATH LONGRUND=PATH LONGRUN=PATH test_gtk_window.py
"""

import os

from gtk_testing import WindowTestCase, main

PAGES = ["Tasks", "Backends", "Messages"]


class PagesTest(WindowTestCase):
    def test_each_has_a_tab(self):
        window = self.open()
        window.find("page tab", "Tasks", selected=True)
        self.assertEqual([tab.name for tab in window.look().find_all("page tab")], PAGES)
        for page in reversed(PAGES):
            window.click("page tab", page)
            window.find("page tab", page, selected=True)

    def test_narrow_ones_have_theirs_below(self):
        """Below 360 pixels it does not go."""
        window = self.open()
        wide = window.find("page tab", "Backends").extents()
        window.resize(360, 600)
        window.settles(lambda: window.find("page tab", "Backends").extents()[1] > wide[1] + 400, "the tabs to be below")
        window.click("page tab", "Backends")
        window.find("page tab", "Backends", selected=True)
        window.resize(900, 600)
        window.settles(lambda: window.find("page tab", "Backends").extents()[1] < 100, "the tabs to be above")

    def test_from_right_to_left(self):
        window = self.open(environment={"LANGUAGE": "he", "LD_PRELOAD": os.environ["RIGHT_TO_LEFT_LIBRARY"]})
        start = window.find("push button", "New Task").extents()
        menu = window.find("push button", "Main Menu").extents()
        self.assertGreater(start[0], menu[0] + 400)


if __name__ == "__main__":
    main()
