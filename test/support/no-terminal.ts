/** Imported before what prints: how it prints is decided when it is loaded, and tests run by hand have a terminal. */
process.stdout.isTTY = false;
