/* A folder of labelled images: NAME.jpg or NAME.png, NAME.json its truth. */

#ifndef SPECIMENS_H
#define SPECIMENS_H


typedef struct {
    char **names; /* of images, sorted */
    int    n;
} specimens_t;


/* Every stride-th image of the folder; 0, or -1 with a message. */
int specimens_list(const char *folder, int stride, specimens_t *specimens);

void specimens_free(specimens_t *specimens);

/* The truth file's name: the image's with another ending. */
void specimens_truth(const char *image, char *name, unsigned size);


#endif /* SPECIMENS_H */
