/*
 * ctl/probe.h
 *		ssl_guard_ctl probe: what do servers show in their TLS handshake?
 */
#ifndef ESG_CTL_PROBE_H
#define ESG_CTL_PROBE_H

/* argv[0] is the program's name, options follow; returns the exit status */
extern int	esg_probe_run(int argc, char **argv);

#endif							/* ESG_CTL_PROBE_H */
