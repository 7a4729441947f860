/* The photos in a folder and in the folders below it. */

#ifndef KTPX_LIST_H
#define KTPX_LIST_H


typedef struct {
    char **names; /* of n files */
    int    n;
    int    room; /* of names */
} ktpx_list_t;


/* Appends a copy of a name.  0, or -1 with a message: no memory. */
int ktpx_list_append(ktpx_list_t *list, const char *name);

/*
 * Appends the files of a folder whose names end as those of pictures do, also
 * of types that cannot be read (HEIC, WebP, PDF and others), by name, then
 * those of its folders.  Names that begin with a dot, and symbolic links to
 * folders, are skipped.  0, or -1 with a message if a folder cannot be read or
 * memory is short.
 */
int ktpx_list_folder(ktpx_list_t *list, const char *folder);

void ktpx_list_free(ktpx_list_t *list);


#endif /* KTPX_LIST_H */
