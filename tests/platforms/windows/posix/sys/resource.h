/* Windows sets no such limits: what tests them asks first whether there is an RLIMIT_… */
