/*
 * bench/stat_files.c
 *		What any look at the files of a directory has to cost: stat_files DIRECTORY.
 *
 * Asks for each of them once a second, by its name in the directory, and does
 * nothing else, until it is ended.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char **names;
static size_t count;

static void
read_names(const char *path)
{
	DIR		   *dir = opendir(path);
	struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL)
	{
		if (entry->d_name[0] == '.')
			continue;
		names = realloc(names, (count + 1) * sizeof(*names));
		if (names == NULL)
			exit(1);
		names[count++] = strdup(entry->d_name);
	}
	if (dir == NULL)
		exit(1);
	closedir(dir);
}

int
main(int argc, char **argv)
{
	struct stat st;
	int			fd;

	if (argc != 2)
		return 1;
	read_names(argv[1]);
	fd = open(argv[1], O_RDONLY | O_DIRECTORY);
	for (;;)
	{
		for (size_t i = 0; i < count; i++)
			(void) fstatat(fd, names[i], &st, 0);
		sleep(1);
	}
}
