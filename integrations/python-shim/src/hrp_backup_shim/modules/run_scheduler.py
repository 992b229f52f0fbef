"""``python run_scheduler.py``, or ``python -m run_scheduler``: becomes ``hrp scheduler run``."""

from hrp.agents.run_scheduler import main

if __name__ == "__main__":
    main()
