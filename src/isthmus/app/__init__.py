"""The web application on this machine: review masks, read scans, start a study, look at a run, calculate a risk.

`create_app` builds it (FastAPI, the extra `web`), `launch` starts it on 127.0.0.1. A room is one folder: `router(settings)` here, its
page in `pages/<room>/`; `server.ROOMS` is the one list of them.
"""

from isthmus.app.settings import AppSettings

__all__ = ["AppSettings"]
