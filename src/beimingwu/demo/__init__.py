"""The whole paradigm on real data: learnwares of air-quality stations, reused at another one."""
