"""Kills cmpd (-9) again and again, at no particular moment of what it does, and starts it."""
import random
import threading


class Killer(threading.Thread):
    def __init__(self, server, period):
        super().__init__(daemon=True)
        self.server, self.period, self.kills, self.over, self.error = server, period, 0, threading.Event(), None
        self.up = threading.Lock()  # held by whoever needs cmpd, or takes it away

    def run(self):
        while not self.over.wait(self.period * random.uniform(0.8, 1.2)):
            try:
                with self.up:
                    self.server.kill()
                    self.kills += 1
                    self.server.start()
            except Exception as error:  # pylint: disable=broad-except
                self.error = error
                return

    def stop(self):
        self.over.set()
        self.join()
        if self.error:
            raise self.error
