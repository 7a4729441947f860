/* A folder of labelled images, NAME.jpg or NAME.png, with NAME.json. */

#ifndef SPECIMENS_H
#define SPECIMENS_H


typedef struct {
    char **names; /* of images, sorted */
    int    n;
} specimens_t;


/* Lists every stride-th image of a folder; 0, or -1 with a message. */
int specimens_list(const char *folder, int stride, specimens_t *specimens);

void specimens_free(specimens_t *specimens);

/* The name of the truth file of an image. */
void specimens_truth(const char *image, char *name, unsigned size);


#endif /* SPECIMENS_H */
