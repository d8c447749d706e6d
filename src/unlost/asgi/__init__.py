"""
What becomes of each exception of a service: a middleware for any ASGI application.

    app.add_middleware(unlost.asgi.Middleware)              # Starlette, FastAPI
    app.asgi_app = unlost.asgi.Middleware(app.asgi_app)     # Quart
    app = unlost.asgi.Middleware(app)                       # any
"""

from unlost.asgi._middleware import Middleware

__all__ = ["Middleware"]
