"""Chat completions, the common tongue of compatible servers: ``encode`` and ``decode``. Pure, no SDK."""
