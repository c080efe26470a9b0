// The name is for you to change: to where your copy of this directory lives.
module example.com/apivideo

go 1.19
