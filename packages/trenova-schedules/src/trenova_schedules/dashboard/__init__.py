"""The pages of the dashboard: server-rendered, served by the application of :mod:`trenova_schedules.server`.

Nothing here is imported by other packages. ``_pages`` lists the rooms: each page or component has a module that gathers
what it shows (no HTML), one with its routes, and its templates under ``templates/``.
"""
