/*
 * bench/registry.c
 *		Makes the registry's file as large as it can be: registry FILE COUNT.
 *
 * The file has one entry, which is copied; each copy is of another certificate
 * and subject, by their digests.  Its format is server/slot_file.c's.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 64

typedef struct Header
{
	char		magic[8];
	char		owner[24];
	uint64_t	generation;
	uint32_t	stable_size;
	uint32_t	entry_size;
	uint32_t	count;
	uint32_t	crc;
} Header;

typedef struct Record
{
	uint32_t	number;
	uint32_t	crc;
} Record;

static uint32_t table[256];

static uint32_t
add_bytes(uint32_t crc, const void *bytes, size_t size)
{
	const unsigned char *at = bytes;

	while (size-- > 0)
		crc = table[(crc ^ *at++) & 255] ^ (crc >> 8);
	return crc;
}

static void
fill_table(void)
{
	for (uint32_t i = 0; i < 256; i++)
	{
		table[i] = i;
		for (int bit = 0; bit < 8; bit++)
			table[i] = table[i] & 1 ? (table[i] >> 1) ^ 0x82F63B78 : table[i] >> 1;
	}
}

static void
put(const Header *header, uint32_t number, const char *part, size_t size, char *out)
{
	Record		record = {number, 0};
	uint32_t	crc = add_bytes(0xFFFFFFFF, &header->generation, sizeof(header->generation));

	crc = add_bytes(crc, &number, sizeof(number));
	record.crc = ~add_bytes(crc, part, size);
	memcpy(out, &record, sizeof(record));
	memcpy(out + sizeof(record), part, size);
}

static void
write_block(FILE *out, const Header *header, char *entry, uint32_t first)
{
	size_t		stable = sizeof(Record) + header->stable_size;
	size_t		use = sizeof(Record) + header->entry_size - header->stable_size;
	char	   *block = calloc(BLOCK, stable + use);

	for (uint32_t i = 0; i < BLOCK && first + i < header->count; i++)
	{
		uint32_t	number = first + i;

		memcpy(entry, &number, sizeof(number));
		memcpy(entry + 64, &number, sizeof(number));
		put(header, number | 0x80000000, entry, header->stable_size, block + i * stable);
		put(header, number, entry + header->stable_size, header->entry_size - header->stable_size,
			block + BLOCK * stable + i * use);
	}
	fwrite(block, stable + use, BLOCK, out);
	free(block);
}

int
main(int argc, char **argv)
{
	Header		header;
	char	   *entry;
	size_t		stable;
	FILE	   *file;

	if (argc != 3 || (file = fopen(argv[1], "r+b")) == NULL || fread(&header, sizeof(header), 1, file) != 1)
		return 1;
	fill_table();
	entry = calloc(1, header.entry_size);
	stable = sizeof(Record) + header.stable_size;
	fseek(file, sizeof(header) + sizeof(Record), SEEK_SET);
	if (fread(entry, header.stable_size, 1, file) != 1)
		return 1;
	fseek(file, (long) (sizeof(header) + BLOCK * stable + sizeof(Record)), SEEK_SET);
	if (fread(entry + header.stable_size, header.entry_size - header.stable_size, 1, file) != 1)
		return 1;
	header.count = (uint32_t) atoi(argv[2]);
	header.crc = ~add_bytes(0xFFFFFFFF, &header, offsetof(Header, crc));
	fseek(file, 0, SEEK_SET);
	fwrite(&header, sizeof(header), 1, file);
	for (uint32_t first = 0; first < header.count; first += BLOCK)
		write_block(file, &header, entry, first);
	return fclose(file);
}
