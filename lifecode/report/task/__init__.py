"""Pages on a task and on a suite of them: figures beside baselines, how a model errs, and on what."""
